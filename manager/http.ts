import type { IncomingMessage } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { LogController, fastify } from 'fastify';
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify';
import { Type, checkOptions, limits } from '#base';
import type { Clock, Log } from '#base';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import { addRoute } from './api-route.ts';
import type { ApiRoute } from './api-route.ts';
import { CallBudget } from './call-budget.ts';
import { CommittedRequests } from './committed-requests.ts';
import { answerFaults } from './http-faults.ts';
import { ledgerRoutes } from './http-ledger.ts';
import { joseMediaType, ndjsonMediaType, requestRoutes } from './http-requests.ts';
import type { PostedBody } from './http-requests.ts';
import { checkListenPlace, listenRefused } from './listen-place.ts';
import type { ListenPlace, TlsPair } from './listen-place.ts';
import { describeApi } from './openapi.ts';
import { metricsMediaType } from './prometheus-text.ts';
import type { StageTotal } from './stage-meter.ts';
import type { Submissions } from './submissions.ts';

export interface HttpOptions {
  listen: ListenPlace;
  submissions: Submissions;
  ledger: Ledger;
  /** The configuration in force after the newest block of `ledger`. */
  channelConfig: () => ChannelConfig;
  /** What the pipeline has spent its time on. */
  stages: () => Readonly<Record<string, StageTotal>>;
  /** What monitoring is told, as Prometheus text; without it nothing is told. */
  metrics?: () => Promise<string>;
  clock: Clock;
  log: Log;
  /** In place of those in base/limits.ts, where a test cannot wait for them. */
  bounds?: { answerWaitMsMax?: number; callBytesInFlightMax?: number };
}

export interface HttpService extends AsyncDisposable {
  /** For tests that need no socket. */
  app: FastifyInstance;
  /** @returns the port: the one asked for, or a free one for 0. */
  listen(): Promise<number>;
  /** Shows this certificate to those who connect from now on. */
  useTls(tls: TlsPair): void;
  /** Takes no further call, answers those under way, then closes. */
  close(): Promise<void>;
}

/**
 * Serves the HTTP interface; /openapi.json describes it.
 *
 * @throws MANAGER_LISTEN_INSECURE
 */
export function buildHttp(options: HttpOptions): HttpService {
  checkListenPlace(options.listen);
  const app = fastify(serverOptions(options)) as unknown as FastifyInstance;
  app.server.maxConnections = limits.httpConnectionsMax;
  // What the views say is what is sent: the default serializer drops what a schema does not name.
  app.setSerializerCompiler(() => JSON.stringify);
  answerFaults(app, options.log);
  app.addHook('onResponse', async (request, reply) => {
    const { id: callId, method, routeOptions } = request;
    const facts = { callId, method, route: routeOptions.url, status: reply.statusCode };
    options.log.debug({ ...facts, durationMs: reply.elapsedTime }, 'A call was answered.');
  });
  readBodies(app, options.bounds?.callBytesInFlightMax);
  const routes = routesOf(options);
  for (const route of routes) addRoute(app, route);
  const close = async () => {
    await app.close();
  };
  const useTls = (tls: TlsPair) => {
    if (app.server instanceof SecureServer) app.server.setSecureContext(secureContextOf(tls));
  };
  return {
    app,
    listen: () => listen(app, options.listen),
    useTls,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function secureContextOf({ certificate, privateKey }: TlsPair) {
  return { cert: certificate, key: privateKey, minVersion: 'TLSv1.2' as const };
}

function serverOptions({ listen, log, clock }: HttpOptions): FastifyServerOptions {
  const startedMs = clock.nowMs();
  let calls = 0;
  const node = {
    connectionsCheckingInterval: Math.floor(limits.callReceiveMsMax / 6),
    headersTimeout: limits.callReceiveMsMax,
    maxHeaderSize: limits.httpHeaderBytesMax,
  };
  const { tls } = listen;
  const secure = tls && secureContextOf(tls);
  const options = {
    ...(secure === undefined ? { http: node } : { https: { ...node, ...secure } }),
    requestTimeout: limits.callReceiveMsMax,
    connectionTimeout: limits.httpSilenceMsMax,
    keepAliveTimeout: limits.httpKeepAliveMsMax,
    exposeHeadRoutes: false,
    requestIdHeader: false as const,
    genReqId: () => `${startedMs.toString(36)}-${(calls += 1).toString(36)}`,
    ajv: { customOptions: checkOptions },
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
  };
  return options;
}

function readBodies(app: FastifyInstance, bytesInFlightMax: number | undefined): void {
  const budget = new CallBudget(bytesInFlightMax);
  const bytesMaxByType = {
    [joseMediaType]: limits.requestBytes,
    [ndjsonMediaType]: limits.callBytesMax,
  } as const;
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => budget.release(request.id));
    reply.raw.once('finish', () => budget.release(request.id));
  });
  for (const mediaType of [joseMediaType, ndjsonMediaType] as const) {
    app.addContentTypeParser(
      mediaType,
      async (request: FastifyRequest, payload: IncomingMessage): Promise<PostedBody> => {
        const bytes = await budget.read(request.id, payload, bytesMaxByType[mediaType]);
        return { mediaType, bytes };
      },
    );
  }
}

function routesOf(options: HttpOptions): ApiRoute[] {
  const { submissions, ledger, channelConfig, log, bounds } = options;
  const answerWaitMsMax = bounds?.answerWaitMsMax ?? limits.answerWaitMsMax;
  const committed = new CommittedRequests(ledger, () => channelConfig().channelId);
  const routes = [
    ...requestRoutes({ submissions, committed, answerWaitMsMax, log }),
    ...ledgerRoutes({ ledger, channelConfig, stages: options.stages }),
  ];
  if (options.metrics !== undefined) routes.push(metricsRoute(options.metrics));
  const description: ApiRoute = {
    method: 'GET',
    url: '/openapi.json',
    summary: 'This description.',
    answers: { 200: { 'application/json': Type.Unknown() } },
    refusals: [500],
    answer: async () => described,
  };
  routes.push(description);
  const described = describeApi(routes);
  return routes;
}

function metricsRoute(metrics: () => Promise<string>): ApiRoute {
  return {
    method: 'GET',
    url: '/metrics',
    summary: 'What monitoring wants to know, as Prometheus text.',
    answers: { 200: { 'text/plain': Type.String() } },
    refusals: [500],
    answer: async (_request, reply) => reply.type(metricsMediaType).send(await metrics()),
  };
}

async function listen(app: FastifyInstance, place: ListenPlace): Promise<number> {
  const { host, port } = place;
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenRefused(place, error as Error);
  }
  return (app.server.address() as AddressInfo | null)?.port ?? port;
}
