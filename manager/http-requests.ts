import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault, Type, limits } from '#base';
import type { Log } from '#base';
import type { ApiRoute } from './api-route.ts';
import type { CommittedRequests } from './committed-requests.ts';
import { fault } from './faults.ts';
import { asFault, problemMediaType, sendAs } from './http-problem.ts';
import { splitLines } from './ndjson.ts';
import type { RequestOutcome } from './pipeline-types.ts';
import {
  RequestAnswer,
  answerText,
  committedAnswer,
  committedIn,
  pendingAnswer,
  refusedAnswer,
} from './request-answer.ts';
import type { CommittedRequest } from './request-answer.ts';
import type { Submission, Submissions } from './submissions.ts';

export const joseMediaType = 'application/jose';
export const ndjsonMediaType = 'application/x-ndjson';

export interface RequestRouteParts {
  submissions: Submissions;
  committed: CommittedRequests;
  /** How long a call waits for outcomes. */
  answerWaitMsMax: number;
  log: Log;
}

/** Posting requests, and asking what became of them. */
export function requestRoutes(parts: RequestRouteParts): ApiRoute[] {
  const routes = new RequestRoutes(parts);
  const json = { 'application/json': RequestAnswer };
  return [
    {
      method: 'POST',
      url: '/v1/requests',
      summary: 'Posts one signed request, or many with one per line, and waits for their outcomes.',
      query: Wait,
      bodies: {
        [joseMediaType]: Type.String({ description: 'A compact JWS.' }),
        [ndjsonMediaType]: Type.String({ description: 'Compact JWS, one a line.' }),
      },
      answers: {
        200: { ...json, [ndjsonMediaType]: RequestAnswer },
        202: json,
        409: json,
        422: json,
      },
      refusals: [400, 401, 403, 404, 409, 500, 503],
      answer: (request, reply) => routes.post(request, reply),
    },
    {
      method: 'GET',
      url: '/v1/requests/:id',
      summary: 'What became of a request.',
      params: RequestId,
      answers: { 200: json },
      refusals: [400, 404, 500],
      answer: async (request, reply) => routes.look(request, reply),
    },
    {
      method: 'GET',
      url: '/v1/requests/:id/receipt',
      summary: 'The receipt of a request: proof of its outcome that needs no server.',
      params: RequestId,
      answers: { 200: { 'application/json': Type.Unknown() } },
      refusals: [400, 404, 500],
      answer: async (request, reply) => routes.receipt(idOf(request), reply),
    },
  ];
}

const Wait = Type.Object(
  {
    wait: Type.Optional(
      Type.Literal('none', { description: 'Answers at once; ask for the outcome by the id.' }),
    ),
  },
  { additionalProperties: false },
);

const RequestId = Type.Object(
  { id: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Id of the request.' }) },
  { additionalProperties: false },
);

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id;
}

/** A call's body, as the content type parsers leave it. */
export interface PostedBody {
  mediaType: typeof joseMediaType | typeof ndjsonMediaType;
  bytes: Uint8Array;
}

/** The receipt is JSON already. */
interface Answered {
  answer: RequestAnswer;
  receipt?: string | undefined;
}

const jsonMediaType = 'application/json; charset=utf-8';

class RequestRoutes {
  readonly #parts: RequestRouteParts;
  readonly #logged = new WeakSet<Fault>();

  constructor(parts: RequestRouteParts) {
    this.#parts = parts;
  }

  async post(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { mediaType, bytes } = request.body as PostedBody;
    const waits = (request.query as { wait?: 'none' }).wait === undefined;
    const lines = splitLines(bytes);
    if (mediaType === ndjsonMediaType) {
      if (lines.length === 0) throw fault('MANAGER_CALL_INVALID', { reason: 'no request' });
      if (lines.length > limits.requestsPerCall) {
        throw fault('MANAGER_CALL_TOO_LARGE', { requestsMax: limits.requestsPerCall });
      }
      const answers = await this.#answerAll(lines, waits, request.id);
      const text = answers
        .map(({ answer, receipt }) => `${answerText(answer, receipt)}\n`)
        .join('');
      return sendAs(reply, ndjsonMediaType, text);
    }
    if (lines.length !== 1) throw fault('MANAGER_CALL_INVALID', { reason: 'not one request' });
    const [answer] = await this.#answerAll(lines, waits, request.id);
    return sendOne(reply, answer as Answered);
  }

  look(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { answer, receipt } = this.#found(idOf(request), request.id);
    return sendAs(reply, jsonMediaType, answerText(answer, receipt));
  }

  #found(requestId: string, callId: string): Answered {
    const { submissions, committed } = this.#parts;
    const found = committed.find(requestId);
    if (found !== undefined) return this.#committed(found);
    if (submissions.isPending(requestId)) return { answer: pendingAnswer(requestId) };
    const refusal = submissions.refusalOf(requestId);
    if (refusal !== undefined) return { answer: refusedAnswer(refusal, callId, requestId) };
    throw fault('MANAGER_REQUEST_ABSENT', { requestId });
  }

  receipt(requestId: string, reply: FastifyReply): FastifyReply {
    const receipt = this.#parts.committed.receipt(requestId);
    if (receipt === undefined) throw fault('MANAGER_REQUEST_ABSENT', { requestId });
    return sendAs(reply, jsonMediaType, receipt);
  }

  #committed(committed: CommittedRequest): Answered {
    const receipt = this.#parts.committed.receipt(committed.requestId);
    return { answer: committedAnswer(committed), receipt };
  }

  async #answerAll(lines: Uint8Array[], waits: boolean, callId: string): Promise<Answered[]> {
    const submitted = lines.map((line) => this.#submit(line));
    const waited = patience(waits ? this.#parts.answerWaitMsMax : 0);
    try {
      return await Promise.all(submitted.map((one) => this.#answer(one, waited.over, callId)));
    } finally {
      waited.end();
    }
  }

  #submit(line: Uint8Array): Submission | Fault {
    try {
      return this.#parts.submissions.submit(line);
    } catch (error) {
      return this.#noted(error);
    }
  }

  async #answer(
    submitted: Submission | Fault,
    waitOver: Promise<undefined>,
    callId: string,
  ): Promise<Answered> {
    if (submitted instanceof Fault) return { answer: refusedAnswer(submitted, callId) };
    const { requestId, outcome } = submitted;
    try {
      const settled = await Promise.race([outcome, waitOver]);
      if (settled === undefined) return { answer: pendingAnswer(requestId) };
      return this.#settledAnswer(settled, callId);
    } catch (error) {
      return { answer: refusedAnswer(this.#noted(error), callId, requestId) };
    }
  }

  #settledAnswer(outcome: RequestOutcome, callId: string): Answered {
    const { requestId } = outcome;
    if (outcome.fault !== undefined) {
      return { answer: refusedAnswer(this.#noted(outcome.fault), callId, requestId) };
    }
    const committed = committedIn(outcome);
    if (committed === undefined) throw fault('MANAGER_CALL_FAILED', { reason: 'no outcome' });
    return this.#committed(committed);
  }

  /** Faults of ours are logged here, once each: one may have hit every request of a bundle. */
  #noted(error: unknown): Fault {
    const known = asFault(error);
    const isOurs = known.kind === 'broken' || known.kind === 'fatal';
    if (isOurs && !this.#logged.has(known)) {
      this.#logged.add(known);
      this.#parts.log.error({ err: error, code: known.code }, 'A request failed inside.');
    }
    return known;
  }
}

function sendOne(reply: FastifyReply, { answer, receipt }: Answered): FastifyReply {
  void reply.code(answer.status);
  if (answer.state === 'refused') {
    if (answer.status === 503) void reply.header('retry-after', '1');
    return sendAs(reply, problemMediaType, JSON.stringify(answer.problem));
  }
  if (answer.state === 'pending') void reply.header('location', `/v1/requests/${answer.requestId}`);
  return sendAs(reply, jsonMediaType, answerText(answer, receipt));
}

/** One wait for all requests of a call; none at all still lets a full queue say so. */
function patience(waitMsMax: number): { over: Promise<undefined>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (waitMsMax === 0) {
    setImmediate(() => resolve(undefined));
    return { over: promise, end: () => {} };
  }
  const timer = setTimeout(() => resolve(undefined), waitMsMax);
  return { over: promise, end: () => clearTimeout(timer) };
}
