import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Fault, httpStatusOf } from '#base';
import type { Log } from '#base';
import { fault } from './faults.ts';

/** Answers any error as RFC 9457 problem details, and logs it once, here. */
export function answerProblem(
  error: FastifyError | Fault,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
): FastifyReply {
  const known = faultOf(error);
  const { code, kind, message, detail } = known;
  const isOurs = kind === 'broken' || kind === 'fatal';
  const facts = { code, callId: request.id, method: request.method };
  if (isOurs) log.error({ ...facts, err: error }, 'A call failed.');
  else log.info(facts, 'A call was refused.');
  const status = httpStatusOf[kind];
  const problem = {
    type: `urn:countersign:fault:${code}`,
    title: isOurs ? 'The peer failed inside.' : message,
    status,
    code,
    instance: `urn:countersign:call:${request.id}`,
    // Of a fault inside its code alone is told.
    ...(isOurs ? {} : { facts: detail }),
  };
  return reply.code(status).type(problemMediaType).send(JSON.stringify(problem, bigintAsText));
}

export const problemMediaType = 'application/problem+json';

/** Fastify's own errors, and whatever else was thrown, in the project's words. */
function faultOf(error: FastifyError | Fault): Fault {
  if (error instanceof Fault) return error;
  const [first] = error.validation ?? [];
  if (first !== undefined) {
    const key = `${error.validationContext ?? ''}${first.instancePath}`;
    return fault('PEER_CALL_INVALID', { key, reason: first.message }, error);
  }
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500) {
    return fault('PEER_CALL_INVALID', { reason: error.code }, error);
  }
  return fault('PEER_CALL_FAILED', {}, error);
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
