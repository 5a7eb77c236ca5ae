import { emptyBytes, limits } from '#base';
import { Envelope } from '#formats';
import type { SignerClient } from '#formats';

/** A call is one frame on the link; a quarter leaves room for its fields. */
const callBytesMax = limits.frameBytesMax / 4;

/**
 * Has payloads signed, in as few calls as frames allow.
 *
 * @param payloads common.Payload bytes.
 * @returns common.Envelope bytes, in the payloads' order.
 * @throws HSM_…, BASE_LINK_…
 */
export async function sealEnvelopes(
  signer: SignerClient,
  keyLabel: string,
  payloads: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const envelopes: Uint8Array[] = [];
  for (const batch of batchesOf(payloads)) {
    const signatures = await signer.signEnvelopes(batch.map((payload) => ({ keyLabel, payload })));
    for (const [index, payload] of batch.entries()) {
      envelopes.push(Envelope.encode({ payload, signature: signatures[index] ?? emptyBytes }));
    }
  }
  return envelopes;
}

function batchesOf(payloads: readonly Uint8Array[]): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let bytes = 0;
  for (const payload of payloads) {
    const last = batches.at(-1);
    bytes += payload.length;
    if (last === undefined || last.length >= limits.signBatchMax || bytes > callBytesMax) {
      batches.push([payload]);
      bytes = payload.length;
    } else {
      last.push(payload);
    }
  }
  return batches;
}
