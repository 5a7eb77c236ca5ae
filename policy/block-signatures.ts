import { Fault } from '#base';
import { SignatureHeader, blockSignatureInput, signaturesMetadata } from '#formats';
import type { Block } from '#formats';
import type { SignedData } from './identity.ts';

/**
 * The signatures over a block with what each of them signs.
 *
 * @returns undefined when one of them cannot be read: then the block is refused whole.
 */
export function blockSignatures(block: Block): SignedData[] | undefined {
  const { header } = block;
  if (header === undefined) return undefined;
  try {
    const { value, signatures } = signaturesMetadata(block);
    return signatures.map(({ signatureHeader, signature }) => ({
      identity: SignatureHeader.decode(signatureHeader).creator,
      data: blockSignatureInput(value, signatureHeader, header),
      signature,
    }));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
