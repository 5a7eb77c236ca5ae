/** A source of blocks over gRPC and TLS that does what a test says, also what no manager would. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Block, ChannelHeader, Envelope, Payload, SeekInfo, encodeBlockResponse } from '#formats';

type Stream = ServerDuplexStream<Buffer, Uint8Array>;

/** One request for blocks as it came. */
export interface Seek {
  start: bigint;
  stop: bigint;
  /** common.Envelope bytes. */
  envelope: Uint8Array;
  /** When it came, by a clock that starts anywhere. */
  atMs: number;
}

export interface DeliverServerOptions {
  tls: { certificate: string; privateKey: string };
  /** The blocks there are, of a channel if there are several; a test may add, see `announce`. */
  blocks: readonly Block[] | ((channelId: string) => readonly Block[]);
}

/** What goes out on a stream, and the number of the block that is next. */
interface Sending {
  readonly blocks: readonly Block[];
  next: bigint;
}

export class DeliverServer implements AsyncDisposable {
  readonly #options: DeliverServerOptions;
  readonly seeks: Seek[] = [];
  #server: Server | undefined;
  readonly #streams = new Map<Stream, Sending>();
  port = 0;
  /**
   * orderer.DeliverResponse bytes in place of a block's; undefined sends the block, 'end' ends the
   * stream instead.
   */
  substitute: (block: Block, seekCount: number) => Uint8Array | 'end' | undefined = () => undefined;
  /** Hears of every block before it is sent. */
  onSend: (number: bigint) => void = () => {};

  constructor(options: DeliverServerOptions) {
    this.#options = options;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Listens; again on the same port after `kill`. */
  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_send_message_length': -1 });
    const bytes = (message: Uint8Array) => Buffer.from(message);
    server.addService(
      {
        Deliver: {
          path: '/orderer.AtomicBroadcast/Deliver',
          requestStream: true,
          responseStream: true,
          requestSerialize: bytes,
          requestDeserialize: (message) => message,
          responseSerialize: bytes,
          responseDeserialize: (message) => message,
        },
      },
      { Deliver: (stream: Stream) => this.#serve(stream) },
    );
    const { certificate, privateKey } = this.#options.tls;
    const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(privateKey) };
    const credentials = ServerCredentials.createSsl(null, [pair]);
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    this.#server = server;
  }

  /** Sends the blocks that were added since to all who wait for them. */
  announce(): void {
    for (const stream of this.#streams.keys()) this.#send(stream);
  }

  /** Resets every connection and listens no more, as a process that was killed. */
  kill(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
    this.#streams.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
  }

  #serve(stream: Stream): void {
    stream.on('error', () => {});
    stream.on('close', () => this.#streams.delete(stream));
    stream.on('cancelled', () => this.#streams.delete(stream));
    stream.on('data', (envelope: Buffer) => {
      const { header, data } = Payload.decode(Envelope.decode(envelope).payload);
      const seek = SeekInfo.decode(data);
      const start = seek.start?.specified?.number ?? -1n;
      const stop = seek.stop?.specified?.number ?? -1n;
      this.seeks.push({ start, stop, envelope, atMs: performance.now() });
      const { blocks } = this.#options;
      const { channelId } = ChannelHeader.decode(header!.channelHeader);
      this.#streams.set(stream, {
        blocks: typeof blocks === 'function' ? blocks(channelId) : blocks,
        next: start,
      });
      this.#send(stream);
    });
  }

  #send(stream: Stream): void {
    for (;;) {
      const sending = this.#streams.get(stream);
      const block = sending?.blocks[Number(sending.next)];
      if (sending === undefined || block === undefined) return;
      this.onSend(sending.next);
      const substitute = this.substitute(block, this.seeks.length);
      if (substitute === 'end') {
        this.#streams.delete(stream);
        stream.end();
        return;
      }
      sending.next += 1n;
      stream.write(substitute ?? encodeBlockResponse(Block.encode(block)));
    }
  }
}
