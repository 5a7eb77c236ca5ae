import { createServer } from 'node:net';
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { Fault, grpcStatusOf, limits } from '#base';
import { BroadcastResponse, deliverStatuses } from '#formats';
import { serveDeliver } from './deliver-session.ts';
import type { DeliverSource, DeliverStream } from './deliver-session.ts';
import { GrpcDeliverStream } from './deliver-stream.ts';
import type { StreamBounds } from './deliver-stream.ts';
import { fault } from './faults.ts';
import { checkListenPlace } from './listen-place.ts';
import type { ListenPlace } from './listen-place.ts';

export interface DeliverOptions extends DeliverSource {
  listen: ListenPlace;
  /** In place of those in base/limits.ts, where a test cannot wait for them. */
  bounds?: Partial<StreamBounds & { streamsMax: number }>;
}

export interface DeliverService extends AsyncDisposable {
  /** @returns the port: the one asked for, or a free one for 0. */
  listen(): Promise<number>;
  /** Cuts every stream and connection. */
  close(): Promise<void>;
}

/**
 * Serves `orderer.AtomicBroadcast`: Deliver, from which peers pull their blocks.
 * The sockets are our own, not the gRPC server's, because only a socket can be taken from a client
 * that leaves its blocks unread.
 *
 * @throws MANAGER_LISTEN_INSECURE
 */
export function buildDeliver(options: DeliverOptions): DeliverService {
  checkListenPlace(options.listen);
  const server = new Server(serverOptions);
  const sockets = new Map<string, Socket>();
  const streams = new StreamPlaces(options, sockets);
  server.addService(atomicBroadcast, {
    Deliver: (call: BytesCall) => streams.serve(call, (stream) => serveDeliver(stream, options)),
    Broadcast: (call: BytesCall) => streams.serve(call, refuseBroadcast),
  });
  const injector = server.createConnectionInjector(credentialsOf(options.listen));
  const listener = createServer({ noDelay: true }, (socket) => {
    const name = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(name, socket);
    socket.once('close', () => sockets.delete(name));
    socket.on('error', () => socket.destroy());
    injector.injectConnection(socket);
  });
  listener.maxConnections = limits.deliverConnectionsMax;
  const close = async () => {
    const closed = new Promise<void>((resolve) => {
      listener.close(() => resolve());
    });
    streams.closeAll();
    for (const socket of sockets.values()) socket.destroy();
    injector.destroy();
    server.forceShutdown();
    await closed;
  };
  return { listen: () => listen(listener, options.listen), close, [Symbol.asyncDispose]: close };
}

type BytesCall = ServerDuplexStream<Uint8Array, Uint8Array>;

const serverOptions = {
  'grpc.max_send_message_length': limits.deliverMessageBytesMax,
  'grpc.max_receive_message_length': limits.deliverRequestBytesMax,
  'grpc.max_concurrent_streams': limits.deliverStreamsPerConnectionMax,
  'grpc.max_connection_idle_ms': limits.deliverIdleMsMax,
  'grpc.keepalive_time_ms': limits.deliverPingMs,
  'grpc.keepalive_timeout_ms': limits.deliverPingWaitMsMax,
  'grpc.enable_channelz': 0,
};

const asItIs = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const bytesBothWays = {
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: asItIs,
  responseDeserialize: (bytes: Buffer) => bytes,
};

/** Of fabric-protos orderer/ab.proto, with messages as bytes: blocks are passed on as stored. */
export const atomicBroadcast = {
  Deliver: { path: '/orderer.AtomicBroadcast/Deliver', ...bytesBothWays },
  Broadcast: { path: '/orderer.AtomicBroadcast/Broadcast', ...bytesBothWays },
} satisfies ServiceDefinition;

function credentialsOf({ tls }: ListenPlace): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = {
    cert_chain: Buffer.from(tls.certificate),
    private_key: Buffer.from(tls.privateKey),
  };
  return ServerCredentials.createSsl(null, [pair], false);
}

function listen(listener: SocketServer, { host, port }: ListenPlace): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, () => {
      listener.off('error', reject);
      resolve((listener.address() as AddressInfo).port);
    });
  });
}

/** Transactions reach the zone as requests; until they may come as envelopes, this says so. */
async function refuseBroadcast(stream: DeliverStream): Promise<void> {
  if ((await stream.next()) === undefined) return;
  const info = 'This service takes signed requests, not envelopes.';
  await stream.send(BroadcastResponse.encode({ status: deliverStatuses.notImplemented, info }));
}

/** The bounded number of streams that are open at one time. */
class StreamPlaces {
  readonly #options: DeliverOptions;
  readonly #sockets: ReadonlyMap<string, Socket>;
  readonly #streamsMax: number;
  readonly #open = new Set<GrpcDeliverStream>();

  constructor(options: DeliverOptions, sockets: ReadonlyMap<string, Socket>) {
    this.#options = options;
    this.#sockets = sockets;
    this.#streamsMax = options.bounds?.streamsMax ?? limits.deliverStreamsMax;
  }

  serve(call: BytesCall, session: (stream: DeliverStream) => Promise<void>): void {
    if (this.#open.size >= this.#streamsMax) {
      endWith(call, fault('MANAGER_STREAMS_FULL'));
      return;
    }
    const stream = new GrpcDeliverStream(call, {
      silenceMsMax: limits.deliverSilenceMsMax,
      sendWaitMsMax: limits.deliverSendWaitMsMax,
      ...this.#options.bounds,
    });
    this.#open.add(stream);
    void session(stream)
      .then(() => call.end())
      .catch((error: unknown) => this.#settle(call, stream, error))
      .finally(() => this.#open.delete(stream));
  }

  closeAll(): void {
    for (const stream of this.#open) stream.abort();
  }

  #settle(call: BytesCall, stream: GrpcDeliverStream, error: unknown): void {
    if (stream.signal.aborted) return;
    const known = error instanceof Fault ? error : fault('MANAGER_CALL_FAILED', {}, error);
    if (known.kind === 'broken' || known.kind === 'fatal') {
      this.#options.log.error({ err: error }, 'A stream of blocks failed.');
    }
    // What the client left unread would keep the stream, and its block, in memory for ever.
    if (known.code === 'MANAGER_STREAM_STALLED') this.#sockets.get(call.getPeer())?.destroy();
    else endWith(call, known);
  }
}

function endWith(call: BytesCall, { kind, message }: Fault): void {
  call.emit('error', { name: 'Fault', message, code: grpcStatusOf[kind], details: message });
}
