import { Fault } from '#base';
import type { Log } from '#base';
import { signaturesMetadata } from '#formats';
import type { Block, SignerClient } from '#formats';
import type { Ledger } from '#ledger';

export interface NewestSignatureParts {
  readonly signer: SignerClient;
  /** Name of the ordering key. */
  readonly keyLabel: string;
  readonly channel: string;
  readonly log: Log;
}

/**
 * Shows the signer host a block. If it carries this zone's own signature and its guard does not know it, the
 * guard's record was turned back, and it must not sign another block of some height that it has forgotten.
 *
 * @param block from anywhere; only its signature counts.
 * @returns whether the signature is of a key that the host still has.
 * @throws HSM_GUARD_ROLLED_BACK; FORMATS_… the block is none.
 */
export async function showBlock(parts: NewestSignatureParts, block: Block): Promise<boolean> {
  const { signer, keyLabel, channel, log } = parts;
  const { header } = block;
  // Nobody signs the first block of a channel.
  if (header === undefined || header.number === 0n) return false;
  const { value: metadataValue, signatures } = signaturesMetadata(block);
  const [newest] = signatures;
  if (newest === undefined) return false;
  const { signatureHeader, signature } = newest;
  const shown = { keyLabel, channel, ...header, metadataValue, signatureHeader };
  try {
    await signer.witness({ block: shown, signature });
    return true;
  } catch (error) {
    // A version of the key that is gone by now signed it, or nobody of ours.
    if (!(error instanceof Fault) || error.code !== 'HSM_WITNESS_FOREIGN') throw error;
    log.info({ block: header.number }, 'the newest block is by an earlier key');
    return false;
  }
}

/** Shows the signer host the newest block of the ledger. @throws HSM_GUARD_ROLLED_BACK */
export async function showNewestBlock(
  parts: NewestSignatureParts,
  ledger: Pick<Ledger, 'block' | 'height'>,
): Promise<void> {
  const block = ledger.block(ledger.height - 1n);
  if (block !== undefined) await showBlock(parts, block);
}
