import { readFileSync, readdirSync } from 'node:fs';

/** The processes that a process has started, and that still run, oldest first. */
export function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((text) => text !== '')
    .map(Number);
}

/**
 * The PKCS#11 libraries that a process has mapped: the token's module and the binding to it. Only
 * a signer host's own children may have any; in every other process of the zone this is empty.
 */
export function mappedPkcs11(pid: number): string[] {
  const files = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/)[5] ?? '')
    .filter((file) => /softhsm|pkcs11|graphene|p11-kit|opensc/i.test(file));
  return [...new Set(files)];
}
