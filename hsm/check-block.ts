import { equalBytes } from '#base';
import { OrdererBlockMetadata, SignatureHeader, blockSignatureInput, headerHash } from '#formats';
import type { SignBlockCall } from '#formats';
import { fault } from './faults.ts';

/** @see Fabric common/configtx/validator.go, the rule for channel names. */
const channelName = /^[a-z][a-z0-9.-]{0,248}$/;

/**
 * Checks a block's signature content and makes what is signed of it.
 *
 * @param identity the signing key's serialized identity.
 * @returns the header's hash for the guard, and the bytes to be signed.
 * @throws HSM_BLOCK_MALFORMED, FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL
 */
export function checkBlock(
  call: SignBlockCall,
  identity: Uint8Array,
): { headerHash: Uint8Array; content: Uint8Array } {
  const { number, previousHash, dataHash, metadataValue, signatureHeader } = call;
  if (!channelName.test(call.channel)) throw malformed('channel');
  // Fabric's BLOCK 0 has no block before it.
  if (previousHash.length !== (number === 0n ? 0 : 32)) throw malformed('previous hash');
  if (dataHash.length !== 32) throw malformed('data hash');
  const { lastConfig } = OrdererBlockMetadata.decodeCanonical(metadataValue);
  // Stock tools dereference it unasked, and an absent one crashes them.
  if (lastConfig === undefined || lastConfig.index > number) throw malformed('last config');
  const { creator, nonce } = SignatureHeader.decodeCanonical(signatureHeader);
  if (!equalBytes(creator, identity)) throw malformed('creator');
  if (nonce.length === 0) throw malformed('nonce');
  const header = { number, previousHash, dataHash };
  return {
    headerHash: headerHash(header),
    content: blockSignatureInput(metadataValue, signatureHeader, header),
  };
}

function malformed(reason: string) {
  return fault('HSM_BLOCK_MALFORMED', { reason });
}
