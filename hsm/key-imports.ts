import { isInToken } from '#custody';
import type { OperatorPolicy } from '#custody';
import type { PublicKey } from '#crypto';
import { versionLabel } from '#formats';
import { fault } from './faults.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeyRotationsParts } from './key-rotations.ts';

/** A private key that operators bring to a token. */
export interface BroughtKey {
  /** As CKM_RSA_AES_KEY_WRAP has it, under the token's wrapping key for this key. */
  readonly wrapped: Uint8Array;
  readonly publicKey: PublicKey;
}

/** The key under which one is brought is in the token for as long as that takes. */
export function wrappingLabel(name: string): string {
  return `${name}:wrapping`;
}

/**
 * Has the token unwrap the next version of a key, which waits for its certificate then. What a crash
 * left of an earlier import is taken back first.
 *
 * @returns its number.
 * @throws HSM_KEY_VERSIONLESS, HSM_ROTATION_UNDERWAY, HSM_RECORD_READONLY, HSM_WRAPPING_KEY_ABSENT,
 *   HSM_IMPORT_FAILED, HSM_KEY_UNPROVED, HSM_KEY_UNSAFE, HSM_TOKEN_…; nothing was imported then.
 */
export async function importVersion(
  parts: KeyRotationsParts,
  name: string,
  { order, brought }: { order: string; brought: BroughtKey },
): Promise<number> {
  await takeBack(parts, name);
  const { ring, tokenKeys, clock } = parts;
  const imported = brought.publicKey.fingerprint;
  const { version } = ring.next(name, { order, imported, sinceMs: clock.nowMs() });
  const wrapping = wrappingLabel(name);
  try {
    await tokenKeys.import(versionLabel(name, version), { ...brought, wrappingLabel: wrapping });
    // The audit log has what it opens, so it must not be had again.
    await tokenKeys.destroy(wrapping);
  } catch (error) {
    // When that fails as well, the next import does it.
    await takeBack(parts, name).catch(() => {});
    throw error;
  }
  return version;
}

/** Destroys a version that was brought and is not in force, if there is one, and forgets it. */
async function takeBack({ ring, tokenKeys, signer }: KeyRotationsParts, name: string) {
  const newest = ring.versionsOf(name).at(-1);
  if (newest?.state !== 'pre-activation' || newest.imported === undefined) return;
  const label = versionLabel(name, newest.version);
  await signer.drop(label);
  await tokenKeys.destroy(label);
  ring.takeBack(name, newest.version);
}

/**
 * Neither a record that somebody changed nor a change of the policy may leave the host with a key that
 * the operators do not name.
 *
 * @param policy absent: the host takes no orders, so nobody can have named one.
 * @throws HSM_IMPORT_UNNAMED
 */
export function checkImports(ring: KeyRing, policy: OperatorPolicy | undefined): void {
  for (const name of ring.names) {
    for (const { version, state, imported } of ring.versionsOf(name)) {
      if (imported === undefined || !isInToken(state)) continue;
      const isNamed = policy?.mayImport(name, imported) ?? false;
      if (!isNamed) throw fault('HSM_IMPORT_UNNAMED', { key: versionLabel(name, version) });
    }
  }
}
