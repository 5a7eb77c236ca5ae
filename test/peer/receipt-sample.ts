/** A chain with receipts to verify, and what is trusted of it. */
import { utf8 } from '#base';
import { encodeReceipt, parseRequest } from '#formats';
import type { Receipt } from '#formats';
import { verifyReceipt } from '#peer';
import { testNetwork } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import { bundleTransaction, definitionOf, requestOf } from '../support/test-transactions.ts';

export const network = await testNetwork(2);
export const trust = { genesis: new TestChain(network).genesis };

export const withKid = requestOf(network, { key: 'a', value: '1' });
export const withCertificate = requestOf(network, { key: 'b', value: '2', with: 'certificate' });
const others = ['c', 'd', 'e'].map((key) => requestOf(network, { key, value: '3' }));

/** Block 2 holds the first two requests, block 3 the others. */
export const chain = new TestChain(network);
chain.append(definitionOf(network, 'notary'));
export const bundle = bundleTransaction(network, [withKid, withCertificate]);
chain.append(bundle);
/** Of the first request, against its own block. */
export const early = receiptOf(chain, withKid);
chain.append(bundleTransaction(network, others));
/** Of the second request, against block 3. */
export const good = receiptOf(chain, withCertificate);

export function receiptOf(of: TestChain, jws: Uint8Array): Receipt {
  return of.receipt(parseRequest(jws).requestIdBytes);
}

export function verify(receipt: Receipt) {
  return verifyReceipt(utf8(encodeReceipt(receipt)), trust);
}
