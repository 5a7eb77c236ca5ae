import { Fault } from '#base';
import type { Log } from '#base';
import { signaturesMetadata } from '#formats';
import type { SignerClient } from '#formats';
import type { Ledger } from '#ledger';

export interface NewestSignatureParts {
  readonly ledger: Ledger;
  readonly signer: SignerClient;
  /** Name of the ordering key. */
  readonly keyLabel: string;
  readonly channel: string;
  readonly log: Log;
}

/**
 * Shows the signer host the newest block of the ledger. If its guard does not know it, its record was
 * turned back, and it must not sign another block of some height that it has forgotten.
 *
 * @throws HSM_GUARD_ROLLED_BACK
 */
export async function showNewestBlock(parts: NewestSignatureParts): Promise<void> {
  const { ledger, signer, keyLabel, channel, log } = parts;
  const block = ledger.block(ledger.height - 1n);
  // Nobody signs the first block of a channel.
  if (block?.header === undefined || block.header.number === 0n) return;
  const { value: metadataValue, signatures } = signaturesMetadata(block);
  const [newest] = signatures;
  if (newest === undefined) return;
  const { signatureHeader, signature } = newest;
  const shown = { keyLabel, channel, ...block.header, metadataValue, signatureHeader };
  try {
    await signer.witness({ block: shown, signature });
  } catch (error) {
    // A version of the key that is gone by now signed it.
    if (!(error instanceof Fault) || error.code !== 'HSM_WITNESS_FOREIGN') throw error;
    log.info({ block: block.header.number }, 'the newest block is by an earlier key');
  }
}
