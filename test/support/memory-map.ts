import { readFileSync } from 'node:fs';

/**
 * The PKCS#11 libraries that a process has mapped: the token's module and the binding to it. Only
 * the signer host may have any; in every other process of the zone this is empty.
 */
export function mappedPkcs11(pid: number): string[] {
  const files = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/)[5] ?? '')
    .filter((file) => /softhsm|pkcs11|graphene|p11-kit|opensc/i.test(file));
  return [...new Set(files)];
}
