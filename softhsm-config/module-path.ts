import { existsSync } from 'node:fs';
import { fault } from './faults.ts';

/** Debian's, the link that every architecture has first. */
const usualPaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
] as const;

/**
 * The path of SoftHSM's PKCS#11 module.
 *
 * @param configured taken or refused as it is; without it Debian's usual places are looked at.
 * @throws SOFTHSM_MODULE_MISSING
 */
export function findSoftHsmModule(configured?: string): string {
  const candidates = configured === undefined ? usualPaths : [configured];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw fault('SOFTHSM_MODULE_MISSING', { lookedAt: candidates.join(' ') });
  }
  return found;
}
