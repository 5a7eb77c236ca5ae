import { emptyBytes, limits } from '#base';
import { Envelope } from '#formats';
import type { SignEnvelopeItem, SignerClient } from '#formats';

/** A call is one frame on the link; a quarter leaves room for its fields. */
const callBytesMax = limits.frameBytesMax / 4;

/**
 * Has payloads signed, in as few calls as frames allow.
 *
 * @param items payloads are common.Payload bytes.
 * @returns common.Envelope bytes, in the items' order.
 * @throws HSM_…, BASE_LINK_…
 */
export async function sealEnvelopes(
  signer: SignerClient,
  items: readonly SignEnvelopeItem[],
): Promise<Uint8Array[]> {
  const envelopes: Uint8Array[] = [];
  for (const batch of batchesOf(items)) {
    const signatures = await signer.signEnvelopes(batch);
    for (const [index, { payload }] of batch.entries()) {
      envelopes.push(Envelope.encode({ payload, signature: signatures[index] ?? emptyBytes }));
    }
  }
  return envelopes;
}

function batchesOf(items: readonly SignEnvelopeItem[]): SignEnvelopeItem[][] {
  const batches: SignEnvelopeItem[][] = [];
  let bytes = 0;
  for (const item of items) {
    const last = batches.at(-1);
    bytes += item.payload.length;
    if (last === undefined || last.length >= limits.signBatchMax || bytes > callBytesMax) {
      batches.push([item]);
      bytes = item.payload.length;
    } else {
      last.push(item);
    }
  }
  return batches;
}
