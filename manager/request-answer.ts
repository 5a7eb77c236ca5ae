import { Type } from '#base';
import type { Fault, Static } from '#base';
import { validationCodeName, validationCodes } from '#formats';
import type { RequestResult } from '#formats';
import { Problem, problemOf } from './http-problem.ts';
import { Payload, payloadOf } from './payload-view.ts';
import type { RequestOutcome } from './pipeline-types.ts';

const requestId = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the JWS signing input, hex.',
});
const status = Type.Integer({ description: 'What the request alone would have got over HTTP.' });

const Outcome = Type.Object(
  {
    validation: Type.String({ description: 'Fabric’s validation code of the transaction.' }),
    status: Type.Integer({ description: '200, or why the contract failed the request.' }),
    message: Type.String(),
    code: Type.Optional(Type.String({ description: 'Fault code of a failed request.' })),
  },
  { additionalProperties: false },
);

const CommittedAnswer = Type.Object(
  {
    requestId,
    status,
    state: Type.Literal('committed'),
    outcome: Outcome,
    payloads: Type.Array(Payload, { description: 'One per operation; none if it failed.' }),
    block: Type.Integer(),
    transaction: Type.String({ description: 'Fabric transaction id.' }),
    requestIndex: Type.Integer({ description: 'Place among the transaction’s requests.' }),
    receipt: Type.Optional(Type.Unknown({ description: 'Proof that anyone can verify offline.' })),
  },
  { additionalProperties: false },
);

const PendingAnswer = Type.Object(
  { requestId, status, state: Type.Literal('pending') },
  { additionalProperties: false },
);

const RefusedAnswer = Type.Object(
  {
    requestId: Type.Optional(requestId),
    status,
    state: Type.Literal('refused'),
    problem: Problem,
  },
  { additionalProperties: false },
);

/** What a client is told of one request. */
export const RequestAnswer = Type.Union([CommittedAnswer, PendingAnswer, RefusedAnswer]);
export type RequestAnswer = Static<typeof RequestAnswer>;

/** A request that is in a block, as its client sees it. */
export interface CommittedRequest {
  requestId: string;
  result: RequestResult;
  blockNumber: bigint;
  txId: string;
  requestIndex: number;
  validationCode: number;
}

export function committedAnswer(committed: CommittedRequest): RequestAnswer {
  const { result, validationCode } = committed;
  const valid = validationCode === validationCodes.VALID;
  return {
    requestId: committed.requestId,
    status: !valid ? 409 : result.status === 200 ? 200 : 422,
    state: 'committed',
    outcome: {
      validation: validationCodeName(validationCode),
      status: result.status,
      message: result.message,
      ...(result.code === '' ? {} : { code: result.code }),
    },
    payloads: result.payloads.map(payloadOf),
    // Exact far beyond any block: a chain of one block a microsecond needs 285 years to pass 2^53.
    block: Number(committed.blockNumber),
    transaction: committed.txId,
    requestIndex: committed.requestIndex,
  };
}

/** The answer as JSON. @param receipt JSON, its last member: thousands a second are not made into values first. */
export function answerText(answer: RequestAnswer, receipt?: string): string {
  const text = JSON.stringify(answer);
  return receipt === undefined ? text : `${text.slice(0, -1)},"receipt":${receipt}}`;
}

export function pendingAnswer(pendingId: string): RequestAnswer {
  return { requestId: pendingId, status: 202, state: 'pending' };
}

export function refusedAnswer(refusal: Fault, callId: string, refusedId?: string): RequestAnswer {
  const told = refusal.detail['requestId'];
  const id = refusedId ?? (typeof told === 'string' ? told : undefined);
  const problem = problemOf(refusal, callId, id);
  const answer = { status: problem.status, state: 'refused' as const, problem };
  return id === undefined ? answer : { requestId: id, ...answer };
}

/** The committed request in an outcome; undefined when it was refused. */
export function committedIn(outcome: RequestOutcome): CommittedRequest | undefined {
  const { result, blockNumber, txId, requestIndex, validationCode } = outcome;
  if (outcome.state !== 'committed') return undefined;
  if (result === undefined || blockNumber === undefined || txId === undefined) return undefined;
  if (requestIndex === undefined || validationCode === undefined) return undefined;
  return {
    requestId: outcome.requestId,
    result,
    blockNumber,
    txId,
    requestIndex,
    validationCode,
  };
}
