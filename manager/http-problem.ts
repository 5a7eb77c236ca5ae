import type { FastifyReply } from 'fastify';
import { Fault, Type, httpStatusOf } from '#base';
import type { Static } from '#base';
import { fault } from './faults.ts';

const facts = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  { description: 'What varies, by name.' },
);

/** RFC 9457 problem details, with the fault's code. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:countersign:fault: and the code.' }),
    title: Type.String({ description: 'The fault in one fixed sentence.' }),
    status: Type.Integer({ description: 'HTTP status; it follows from the kind of fault.' }),
    code: Type.String({ description: 'Code of the fault, as docs/ERRORS.md lists it.' }),
    instance: Type.String({ description: 'urn:countersign:call: and the call’s id in the log.' }),
    detail: Type.Optional(Type.String({ description: 'What varies, for people.' })),
    facts: Type.Optional(facts),
    requestId: Type.Optional(Type.String({ description: 'The request that was refused.' })),
  },
  { additionalProperties: false },
);
export type Problem = Static<typeof Problem>;

export const problemMediaType = 'application/problem+json';

/** Any error as the fault that a client is told; what is no fault becomes MANAGER_CALL_FAILED. */
export function asFault(error: unknown): Fault {
  return error instanceof Fault ? error : fault('MANAGER_CALL_FAILED', {}, error);
}

/**
 * What a client is told of a fault. Of one inside the service it learns the code alone; of a full
 * one not what was full, which would name processes and files.
 *
 * @param callId the call's id, as in the log.
 */
export function problemOf(known: Fault, callId: string, requestId?: string): Problem {
  const problem: Problem = {
    type: `urn:countersign:fault:${known.code}`,
    title: isOurs(known) ? 'The service failed inside.' : known.message,
    status: httpStatusOf[known.kind],
    code: known.code,
    instance: `urn:countersign:call:${callId}`,
  };
  if (requestId !== undefined) problem.requestId = requestId;
  if (isOurs(known) || known.kind === 'busy') return problem;
  const told = factsOf(known.detail);
  const names = Object.keys(told);
  if (names.length === 0) return problem;
  const detail = names.map((name) => `${name}: ${String(told[name])}`).join('; ');
  return { ...problem, detail, facts: told };
}

/** Sends text under a media type that has no charset: a string would be given one. */
export function sendAs(reply: FastifyReply, mediaType: string, text: string): FastifyReply {
  return reply.type(mediaType).send(Buffer.from(text));
}

function isOurs({ kind }: Fault): boolean {
  return kind === 'broken' || kind === 'fatal';
}

function factsOf(detail: Fault['detail']): Record<string, string | number | boolean> {
  const told: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(detail)) {
    if (value === undefined) continue;
    told[name] = typeof value === 'bigint' ? Number(value) : value;
  }
  return told;
}
