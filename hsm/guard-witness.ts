import { equalBytes } from '#base';
import { verifyFabric } from '#crypto';
import { SignatureHeader, WitnessCall } from '#formats';
import { checkBlock } from './check-block.ts';
import { fault } from './faults.ts';
import type { ServedKey } from './served-keys.ts';
import type { SignerParts } from './signer-methods.ts';

/**
 * Has the guard hear of a block that carries a signature of this host. Only the signature counts:
 * whoever shows a block without one cannot stop the host.
 *
 * @throws HSM_WITNESS_FOREIGN; HSM_GUARD_ROLLED_BACK the block is not on record, and nothing is
 *   signed from now on.
 */
export function witnessBlock({ keys, guard }: SignerParts, payload: Uint8Array): Uint8Array {
  const { block, signature } = WitnessCall.decodeCanonical(payload);
  if (block === undefined) throw fault('HSM_CALL_MALFORMED', { missing: 'block' });
  const { channel, number } = block;
  const { creator } = SignatureHeader.decodeCanonical(block.signatureHeader);
  const signer = [...keys.values()].find((key) => hasSigned(key, channel, creator));
  const { headerHash, content } = checkBlock(block, creator);
  const isOurs =
    signer?.publicKey !== undefined && verifyFabric(signer.publicKey, content, signature);
  if (!isOurs) throw fault('HSM_WITNESS_FOREIGN', { channel, number });
  guard.witness({ channel, number, headerHash });
  return new Uint8Array(0);
}

function hasSigned(key: ServedKey, channel: string, creator: Uint8Array): boolean {
  return key.role === 'ordering' && key.channels.has(channel) && equalBytes(key.identity, creator);
}
