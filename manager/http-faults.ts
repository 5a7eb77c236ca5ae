import type { FastifyError, FastifyInstance } from 'fastify';
import { Fault } from '#base';
import type { FaultKind, Log } from '#base';
import { fault } from './faults.ts';
import { asFault, problemMediaType, problemOf, sendAs } from './http-problem.ts';

/** Answers every error as problem details and logs each once, here. */
export function answerFaults(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = faultOf(error);
    const { code, kind } = known;
    const route = request.routeOptions.url;
    const facts = { code, callId: request.id, method: request.method, route };
    if (isOurs(kind)) log[levels[kind]]({ ...facts, err: error }, 'A call failed.');
    else log[levels[kind]](facts, 'A call was refused.');
    const problem = problemOf(known, request.id);
    if (kind === 'busy') void reply.header('retry-after', '1');
    void reply.code(problem.status);
    return sendAs(reply, problemMediaType, JSON.stringify(problem));
  });
  app.setNotFoundHandler(() => {
    throw fault('MANAGER_ROUTE_UNKNOWN');
  });
}

const levels: Readonly<Record<FaultKind, 'info' | 'warn' | 'error' | 'fatal'>> = {
  malformed: 'info',
  unauthenticated: 'info',
  denied: 'info',
  absent: 'info',
  conflict: 'info',
  busy: 'warn',
  broken: 'error',
  fatal: 'fatal',
};

function isOurs(kind: FaultKind): boolean {
  return kind === 'broken' || kind === 'fatal';
}

/** Fastify's own errors in the project's words. */
function faultOf(error: FastifyError): Fault {
  if (error instanceof Fault) return error;
  const [first] = error.validation ?? [];
  if (first !== undefined) {
    const extra = first.params['additionalProperty'];
    const name = typeof extra === 'string' ? `/${extra}` : '';
    const key = `${error.validationContext ?? ''}${first.instancePath}${name}`;
    return fault('MANAGER_CALL_INVALID', { key, reason: first.message }, error);
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return fault('MANAGER_MEDIA_TYPE_UNKNOWN', {}, error);
  }
  const { statusCode } = error;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return fault('MANAGER_CALL_INVALID', { reason: error.code }, error);
  }
  return asFault(error);
}
