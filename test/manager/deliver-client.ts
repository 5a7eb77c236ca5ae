/** A client of services that deliver blocks, as small as can be. */
import { randomBytes } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import {
  ChannelHeader,
  DeliverResponse,
  Envelope,
  Payload,
  SeekInfo,
  SignatureHeader,
  headerTypes,
} from '#formats';
import type { Timestamp } from '#formats';
import { channelId, startMs } from './channel.ts';
import { signatureOf } from './grpc-client.ts';
import type { Signatory } from './grpc-client.ts';

export const endless = 2n ** 64n - 1n;
export const at = (number: bigint) => ({ specified: { number } });
export const newest = { newest: {} };
export const oldest = { oldest: {} };

export interface SeekSpec {
  start?: object;
  stop?: object;
  behavior?: number;
  contentType?: number;
  channelId?: string;
  timestamp?: Timestamp | undefined;
  signature?: Uint8Array;
  nonce?: Uint8Array;
  /** In place of SeekInfo. */
  body?: Uint8Array;
}

/** @returns common.Envelope bytes, signed by the member. */
export function seekRequest(member: Signatory, spec: SeekSpec = {}): Uint8Array {
  const { start = oldest, stop = newest, behavior = 0, contentType = 0 } = spec;
  const timestamp =
    'timestamp' in spec ? spec.timestamp : { seconds: BigInt(startMs / 1_000), nanos: 0 };
  const payload = Payload.encode({
    header: {
      channelHeader: ChannelHeader.encode({
        type: headerTypes.deliverSeekInfo,
        channelId: spec.channelId ?? channelId,
        ...(timestamp === undefined ? {} : { timestamp }),
      }),
      signatureHeader: SignatureHeader.encode({
        creator: member.serialized,
        nonce: spec.nonce ?? new Uint8Array(randomBytes(24)),
      }),
    },
    data: spec.body ?? SeekInfo.encode({ start, stop, behavior, contentType } as SeekInfo),
  });
  return Envelope.encode({ payload, signature: spec.signature ?? signatureOf(member, payload) });
}

/** One open stream; what arrives is kept until it is asked for. */
export class DeliverClient implements Disposable {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Uint8Array, Uint8Array>;
  readonly #responses: AsyncIterator<Uint8Array>;

  /** @param method with its service's full name. */
  constructor(port: number, root: string | undefined, method = 'orderer.AtomicBroadcast/Deliver') {
    const channelCredentials =
      root === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(root));
    this.#client = new Client(`localhost:${port}`, channelCredentials, {
      'grpc.max_receive_message_length': 100 * 1024 * 1024,
      'grpc.use_local_subchannel_pool': 1,
    });
    const asItIs = (bytes: Uint8Array) => Buffer.from(bytes);
    this.#call = this.#client.makeBidiStreamRequest(`/${method}`, asItIs, (bytes) => bytes);
    this.#responses = this.#call[Symbol.asyncIterator]();
  }

  ask(request: Uint8Array): void {
    this.#call.write(request);
  }

  endAsking(): void {
    this.#call.end();
  }

  /** The next response; undefined when the service has ended the stream well. */
  async nextBytes(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#responses.next();
    return done === true ? undefined : value;
  }

  async next(): Promise<DeliverResponse | undefined> {
    const bytes = await this.nextBytes();
    return bytes === undefined ? undefined : DeliverResponse.decode(bytes);
  }

  /** Responses up to and with the first status: block numbers, then the status. */
  async untilStatus(): Promise<(bigint | number)[]> {
    const seen: (bigint | number)[] = [];
    for (;;) {
      const response = await this.next();
      if (response === undefined) return seen;
      if (response.status !== undefined) return [...seen, response.status];
      seen.push(response.block?.header?.number ?? -1n);
    }
  }

  /** The gRPC status the service ends the stream with, if it is not OK. */
  async failure(): Promise<Partial<ServiceError>> {
    try {
      for (;;) if ((await this.next()) === undefined) return {};
    } catch (error) {
      return error as ServiceError;
    }
  }

  cancel(): void {
    this.#call.cancel();
  }

  [Symbol.dispose](): void {
    this.#call.on('error', () => {});
    this.#call.cancel();
    this.#client.close();
  }
}
