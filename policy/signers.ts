import { Fault } from '#base';
import type { SignedData } from './identity.ts';
import type { Member } from './member.ts';

/**
 * The signers whose signatures are right, each once, in the order of the signatures. Whatever cannot
 * be read or does not verify is passed over, as in Fabric: a bad signature beside enough good ones
 * does no harm.
 *
 * @param memberOf reads an identity; a Fault means that it is passed over.
 * @see Fabric common/policies/policy.go, SignatureSetToValidIdentities.
 */
export function validSigners(
  signed: readonly SignedData[],
  memberOf: (serialized: Uint8Array) => Member,
): Member[] {
  const signers = new Map<string, Member>();
  for (const { identity, data, signature, start } of signed) {
    const member = memberOrNobody(identity, memberOf);
    // Looked up before the signature is checked: repeating one identity must not cost anything.
    if (member === undefined || signers.has(member.key)) continue;
    if (member.verifies(data, signature, start)) signers.set(member.key, member);
  }
  return [...signers.values()];
}

/** What `memberOf` reads, or undefined where it answers with a Fault. */
export function memberOrNobody(
  serialized: Uint8Array,
  memberOf: (serialized: Uint8Array) => Member,
): Member | undefined {
  try {
    return memberOf(serialized);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
