import { verifyRotation } from '#formats';
import type { VerifiedRotation } from '#formats';
import type { ChannelConfig, Identity } from '#policy';
import { fault } from './faults.ts';

/** What the identity of a key has to be on the channel; nobody there looks at one that attests. */
const roleOf: Readonly<Record<string, 'peer' | 'orderer' | 'client' | 'member'>> = {
  node: 'peer',
  ordering: 'orderer',
  relay: 'client',
  attestation: 'member',
};

/**
 * Checks the record of a rotation before it is put on the ledger: signed by both keys, brought by an
 * administrator of their organisation, and the new key's certificate valid in the key's role. The
 * old one's may have expired or been revoked: that is when a key is rotated.
 *
 * @param record countersign.KeyRotation bytes.
 * @throws ENDORSER_ROTATION_DENIED, FORMATS_ROTATION_INVALID, FORMATS_PROTOBUF_…, CRYPTO_…
 */
export function checkRotation(
  record: Uint8Array,
  client: Identity,
  config: ChannelConfig,
): VerifiedRotation {
  const rotation = verifyRotation(record);
  const { key, role, mspid, next } = rotation;
  const denied = (why: string) => fault('ENDORSER_ROTATION_DENIED', { key, why });
  if (!client.roles.admin || client.mspid !== mspid) throw denied('administrator');
  const member = config.findMember(next.serializedIdentity);
  const wanted = roleOf[role];
  if (member?.mspid !== mspid || wanted === undefined) throw denied('certificate');
  if (wanted !== 'member' && !member.roles[wanted]) throw denied('role');
  return rotation;
}
