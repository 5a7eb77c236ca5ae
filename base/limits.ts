import assert from 'node:assert/strict';
import { contractLimits } from './contract-limits.ts';
import { custodyLimits } from './custody-limits.ts';
import { ledgerLimits } from './ledger-limits.ts';
import { requestLimits } from './request-limits.ts';
import { signingLimits } from './signing-limits.ts';
import { wireLimits } from './wire-limits.ts';

/** Every bound of the service; those of one kind stand in a file of their own. */
export const limits = {
  ...requestLimits,
  ...contractLimits,
  ...ledgerLimits,
  ...signingLimits,
  ...wireLimits,
  ...custodyLimits,
} as const;

assert(limits.bundleBytesMax >= limits.requestBytes, 'any request must fit into a bundle');
assert(limits.bundleOperationsMax >= limits.operationsPerRequest, 'any request must fit a bundle');
assert(limits.envelopeBytesMax >= 4 * limits.bundleBytesMax, 'a bundle and its writes must fit');
assert(
  limits.receiptBytesMax > limits.requestBytes + limits.envelopeBytesMax * 1.34,
  'any result must fit into a receipt',
);
assert(
  limits.bundleOutputBytesMax >= limits.requestOutputBytesMax,
  'any request must fit a bundle',
);
assert(
  limits.envelopeBytesMax >= limits.bundleBytesMax + 1.5 * limits.bundleOutputBytesMax,
  'a full bundle must fit into an envelope',
);
assert(limits.blockBytesMax >= limits.envelopeBytesMax, 'any envelope must fit into a block');
assert(limits.frameBytesMax > limits.blockBytesMax, 'any block must fit into a frame');
assert(limits.ledgerFileBytesMax + limits.frameBytesMax < 2 ** 32, 'offsets are 32 bits wide');
assert(limits.requestBytes > limits.argBytes * 1.4, 'a base64url request must carry one full arg');
assert(
  limits.argBytes >= limits.contractCodeBytesMax * 1.33,
  'code must fit an argument as base64',
);
assert(
  limits.frameBytesMax >
    2 *
      (limits.proposalBatchBytesMax + limits.proposalOutputBytesMax + limits.requestOutputBytesMax),
  'any batch of proposals must fit into a frame with its answers',
);
assert(limits.signQueueDepthMax >= limits.signBatchMax, 'any batch must fit into the queue');
assert(limits.signaturesPerRecordMax >= limits.signBatchMax, 'any batch must fit into a record');
assert(
  limits.custodyDocumentBytesMax > limits.signaturesPerRecordMax * 44 + limits.tokenKeysMax * 512,
  'any record of signatures must fit into a line',
);
assert(
  limits.signWaitMsMax > limits.signHangMsMax + limits.takeoverWaitMsMax,
  'who waits for a signature is served by the process that takes over',
);
assert(limits.callBytesMax >= limits.requestBytes, 'any request must fit into a call');
assert(
  limits.contractPackageBytesMax > limits.contractCodeBytesMax + 64 * 1024,
  'any code must fit into a package',
);
assert(limits.httpSilenceMsMax > limits.answerWaitMsMax, 'an answer that waits is not cut off');
assert(limits.callBytesInFlightMax >= limits.callBytesMax, 'any call must fit');
assert(limits.grpcRequestBytesMax > limits.envelopeBytesMax, 'any envelope must fit a call');
assert(
  3 * limits.grpcMessageBytesMax + 1.4 * (limits.grpcMessageBytesMax + limits.grpcDetailsBytesMax) <
    8_000,
  'any failure must fit into the trailers that clients take',
);
assert(
  limits.grpcDetailsBytesMax > limits.contractMessageBytesMax + 512,
  'what any contract says must fit a detail',
);
assert(limits.deliverMessageBytesMax > limits.blockBytesMax, 'any block must fit a message');
assert(limits.deliverRetryWaitMsMax >= limits.deliverRetryWaitMsMin, 'waits grow');
