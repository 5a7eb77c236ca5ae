import { createServer } from 'node:net';
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { MethodDefinition, UntypedHandleCall, sendUnaryData } from '@grpc/grpc-js';
import { limits } from '#base';
import type { Log } from '#base';
import type { GrpcMethod, GrpcServices } from './grpc-call.ts';
import { GrpcCalls } from './grpc-calls.ts';
import type { CallBounds, CallPlace, UnaryCall } from './grpc-calls.ts';
import type { DuplexCall, OutputCall } from './grpc-stream.ts';
import { checkListenPlace, listenRefused } from './listen-place.ts';
import type { ListenPlace, TlsPair } from './listen-place.ts';

export interface GrpcOptions {
  listen: ListenPlace;
  /** Endpoints that speak for one organisation each, with the same services. */
  organizations?: readonly { mspid: string; listen: ListenPlace }[];
  services: GrpcServices;
  log: Log;
  /** In place of those in base/limits.ts, where a test cannot wait for them. */
  bounds?: Partial<CallBounds>;
}

export interface GrpcPorts {
  main: number;
  /** By MSP id. */
  organizations: Record<string, number>;
}

export interface GrpcServer extends AsyncDisposable {
  /** Calls and streams being served. */
  readonly open: { calls: number; streams: number };
  /** @returns the ports: those asked for, or free ones for 0. */
  listen(): Promise<GrpcPorts>;
  /** Shows this certificate to those who connect from now on. @param mspid whose endpoint; absent: the zone's. */
  useTls(tls: TlsPair, mspid?: string): void;
  /** Cuts every call and connection. */
  close(): Promise<void>;
}

/**
 * Serves all gRPC services of the zone, at its own endpoint and at one for each organisation.
 *
 * @throws MANAGER_LISTEN_INSECURE
 */
export function buildGrpc(options: GrpcOptions): GrpcServer {
  const { organizations = [], bounds } = options;
  const calls = new GrpcCalls(options.log, bounds);
  const main = new Endpoint(options, options.listen, undefined, calls);
  const others = organizations.map(({ mspid, listen }) => ({
    mspid,
    endpoint: new Endpoint(options, listen, mspid, calls),
  }));
  const listen = async (): Promise<GrpcPorts> => {
    const ports: GrpcPorts = { main: await main.listen(), organizations: {} };
    for (const { mspid, endpoint } of others) {
      ports.organizations[mspid] = await endpoint.listen();
    }
    return ports;
  };
  const close = async () => {
    calls.closeAll();
    await Promise.all([main, ...others.map(({ endpoint }) => endpoint)].map((one) => one.close()));
  };
  return {
    get open() {
      return calls.open;
    },
    listen,
    useTls: (tls, mspid) => {
      const other = others.find((one) => one.mspid === mspid)?.endpoint;
      (mspid === undefined ? main : other)?.useTls(tls);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * One listening socket. The sockets are our own, not the gRPC server's, because only a socket can be
 * taken from a client that leaves its messages unread.
 */
class Endpoint {
  readonly #place: ListenPlace;
  readonly #server = new Server(serverOptions);
  readonly #listener: SocketServer;
  /** One for each certificate so far; connections stay with the one they were made under. */
  readonly #injectors: ReturnType<Server['createConnectionInjector']>[];
  /** By the address of the other end. */
  readonly #sockets = new Map<string, Socket>();

  constructor(
    { services }: GrpcOptions,
    place: ListenPlace,
    mspid: string | undefined,
    calls: GrpcCalls,
  ) {
    checkListenPlace(place);
    this.#place = place;
    const disconnect = (peer: string) => void this.#sockets.get(peer)?.destroy();
    for (const [service, methods] of Object.entries(services)) {
      addService(this.#server, service, methods, { calls, mspid, disconnect });
    }
    this.#injectors = [this.#server.createConnectionInjector(credentialsOf(place.tls))];
    this.#listener = createServer({ noDelay: true }, (socket) => {
      const name = `${socket.remoteAddress}:${socket.remotePort}`;
      this.#sockets.set(name, socket);
      socket.once('close', () => this.#sockets.delete(name));
      socket.on('error', () => socket.destroy());
      this.#injectors.at(-1)?.injectConnection(socket);
    });
    this.#listener.maxConnections = limits.deliverConnectionsMax;
  }

  listen(): Promise<number> {
    const { host, port } = this.#place;
    return new Promise((resolve, reject) => {
      const refused = (error: Error) => reject(listenRefused(this.#place, error));
      this.#listener.once('error', refused);
      this.#listener.listen(port, host, () => {
        this.#listener.off('error', refused);
        resolve((this.#listener.address() as AddressInfo).port);
      });
    });
  }

  useTls(tls: TlsPair): void {
    this.#injectors.push(this.#server.createConnectionInjector(credentialsOf(tls)));
    // Whoever is connected since then has to connect anew.
    if (this.#injectors.length > injectorsMax) this.#injectors.shift()?.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#listener.close(() => resolve());
    });
    for (const socket of this.#sockets.values()) socket.destroy();
    for (const injector of this.#injectors) injector.destroy();
    this.#server.forceShutdown();
    await closed;
  }
}

/** Certificates under which connections may still be open. */
const injectorsMax = 8;

const serverOptions = {
  'grpc.max_send_message_length': limits.deliverMessageBytesMax,
  'grpc.max_receive_message_length': limits.grpcRequestBytesMax,
  'grpc.max_concurrent_streams': limits.grpcCallsPerConnectionMax,
  'grpc.max_connection_idle_ms': limits.deliverIdleMsMax,
  'grpc.keepalive_time_ms': limits.deliverPingMs,
  'grpc.keepalive_timeout_ms': limits.deliverPingWaitMsMax,
  'grpc.enable_channelz': 0,
};

const asItIs = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** Messages pass as bytes: what was signed or stored is neither read nor written on the way. */
function definitionOf(
  path: string,
  kind: GrpcMethod['kind'],
): MethodDefinition<Uint8Array, Uint8Array> {
  return {
    path,
    requestStream: kind === 'duplex',
    responseStream: kind !== 'unary',
    requestSerialize: asItIs,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: asItIs,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
}

function addService(
  server: Server,
  service: string,
  methods: GrpcServices[string],
  { calls, mspid, disconnect }: { calls: GrpcCalls } & Omit<CallPlace, 'method'>,
): void {
  const definitions: Record<string, MethodDefinition<Uint8Array, Uint8Array>> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const [name, method] of Object.entries(methods)) {
    const path = `/${service}/${name}`;
    const place = { method: path, mspid, disconnect };
    definitions[name] = definitionOf(path, method.kind);
    handlers[name] =
      method.kind === 'unary'
        ? (call: UnaryCall, answer: sendUnaryData<Uint8Array>) =>
            void calls.serveUnary(call, answer, method, place)
        : (call: DuplexCall | OutputCall) => calls.serveStream(call, method, place);
  }
  server.addService(definitions, handlers);
}

function credentialsOf(tls: TlsPair | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = {
    cert_chain: Buffer.from(tls.certificate),
    private_key: Buffer.from(tls.privateKey),
  };
  return ServerCredentials.createSsl(null, [pair], false);
}
