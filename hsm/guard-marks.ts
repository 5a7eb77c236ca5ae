import { latin1Of, limits } from '#base';
import { parsePem, verifyFabric } from '#crypto';
import { GuardMarks, SignedGuardMarks, guardMarksContent } from '#formats';
import type { SignerRole } from '#formats';
import { fault } from './faults.ts';
import type { BlockMark } from './guard-record.ts';
import type { ServedKey } from './served-keys.ts';
import type { SignerParts } from './signer-methods.ts';

/** Which key says where the guard stands: the one that signs least else. */
const roles: readonly SignerRole[] = ['attestation', 'ordering'];

/** @returns countersign.SignedGuardMarks. @throws HSM_ROLE_DENIED the host has no key for it. */
export async function exportMarks(parts: SignerParts): Promise<Uint8Array> {
  const { guard, signer, clock, tokenLabel: token } = parts;
  const key = keyFor(parts);
  const time = BigInt(Math.floor(clock.nowMs() / 1000));
  const statement = GuardMarks.encode({ token, time, marks: [...guard.marks] });
  const content = guardMarksContent(statement);
  const signature = await signer.signOne(key.label, 'marks', content);
  const certificate = key.certificate ?? new Uint8Array(0);
  return SignedGuardMarks.encode({ statement, certificate, signature });
}

/**
 * Reads what another guard's host signed. Whether that host may be believed is the operators' decision:
 * they are told whose certificate it is, and order its import or do not.
 *
 * @throws HSM_MARKS_INVALID
 */
export function readMarks(bytes: Uint8Array): {
  readonly marks: readonly BlockMark[];
  readonly token: string;
  readonly subject: string;
} {
  try {
    const { statement, certificate, signature } = SignedGuardMarks.decodeCanonical(bytes);
    const { token, marks } = GuardMarks.decodeCanonical(statement);
    const { publicKey, subject } = parsePem(latin1Of(certificate));
    const isSigned = verifyFabric(publicKey, guardMarksContent(statement), signature);
    const isSound = marks.every((one) => one.headerHash.length === 32 && one.channel !== '');
    if (isSigned && isSound && marks.length <= limits.guardMarksMax) {
      return { marks, token, subject: subject.rfc4514 };
    }
  } catch (cause) {
    throw fault('HSM_MARKS_INVALID', {}, cause);
  }
  throw fault('HSM_MARKS_INVALID');
}

function keyFor({ keys }: SignerParts): ServedKey {
  // The newest version of a key comes last.
  const all = [...keys.values()].toReversed();
  const key = roles.flatMap((role) => all.filter((one) => one.role === role))[0];
  if (key === undefined) throw fault('HSM_ROLE_DENIED', { role: roles.join(' ') });
  return key;
}
