import type { AddressInfo } from 'node:net';
import { LogController, fastify } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkOptions, isLoopback, limits } from '#base';
import type { Clock, Log } from '#base';
import { fault } from './faults.ts';
import { answerProblem } from './http-problem.ts';
import { peerRoutes } from './http-routes.ts';
import type { RouteParts } from './http-routes.ts';

/** Where the peer listens, and as whom. */
export interface ListenPlace {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** PEM texts. */
  tls?: { certificate: string; privateKey: string };
}

export interface HttpOptions extends RouteParts {
  listen: ListenPlace;
  clock: Clock;
  log: Log;
}

export interface HttpService extends AsyncDisposable {
  /** For tests that need no socket. */
  app: FastifyInstance;
  /** @returns the port: the one asked for, or a free one for 0. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Serves what the peer knows, for reading only.
 *
 * @throws PEER_LISTEN_INSECURE
 */
export function buildHttp(options: HttpOptions): HttpService {
  const { host, port, tls } = options.listen;
  if (tls === undefined && !isLoopback(host)) throw fault('PEER_LISTEN_INSECURE', { host });
  const app = fastify(serverOptions(options)) as unknown as FastifyInstance;
  app.server.maxConnections = limits.httpConnectionsMax;
  app.removeAllContentTypeParsers();
  app.setErrorHandler((error: FastifyError, request, reply) =>
    answerProblem(error, request, reply, options.log),
  );
  app.setNotFoundHandler(() => {
    throw fault('PEER_ROUTE_UNKNOWN');
  });
  for (const route of peerRoutes(options)) app.route(route);
  const close = async () => {
    await app.close();
  };
  const listen = async () => {
    try {
      await app.listen({ host, port });
    } catch (error) {
      throw fault('PEER_LISTEN_REFUSED', { host, port, reason: (error as Error).message });
    }
    return (app.server.address() as AddressInfo | null)?.port ?? port;
  };
  return { app, listen, close, [Symbol.asyncDispose]: close };
}

function serverOptions({ listen, log, clock }: HttpOptions) {
  const startedMs = clock.nowMs();
  let calls = 0;
  const { tls } = listen;
  const node = {
    headersTimeout: limits.callReceiveMsMax,
    maxHeaderSize: limits.httpHeaderBytesMax,
  };
  const secure = tls && { cert: tls.certificate, key: tls.privateKey, minVersion: 'TLSv1.2' };
  return {
    ...(secure === undefined ? { http: node } : { https: { ...node, ...secure } }),
    requestTimeout: limits.callReceiveMsMax,
    keepAliveTimeout: limits.httpKeepAliveMsMax,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    requestIdHeader: false as const,
    genReqId: () => `${startedMs.toString(36)}-${(calls += 1).toString(36)}`,
    // A state key as it stands in an address, three characters for a byte.
    routerOptions: { maxParamLength: 3 * limits.stateKeyBytesMax },
    ajv: { customOptions: checkOptions },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      void answerProblem(error, request, reply, log);
    },
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
  } as object;
}
