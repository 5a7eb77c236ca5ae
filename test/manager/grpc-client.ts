/** A gRPC client of bytes, as small as can be: it sends what no generated client would. */
import { sign } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { derToRaw, normaliseEcdsa } from '#crypto';
import {
  ChaincodeEventsRequest,
  ChaincodeEventsResponse,
  CommitStatusRequest,
  CommitStatusResponse,
  SignedChaincodeEventsRequest,
  SignedCommitStatusRequest,
} from '#formats';
import { channelId } from './channel.ts';
import type { TestMember } from './channel.ts';

/** Whose name and key a request is signed with. */
export type Signatory = Pick<TestMember, 'serialized'> & {
  key: Pick<TestMember['key'], 'privateKey'>;
};

const asItIs = (bytes: Uint8Array) => Buffer.from(bytes);

export interface CallOptions {
  deadline?: Date;
  /** Ends the call as a client that is no longer interested does. */
  signal?: AbortSignal;
}

/** One connection to the gateway. */
export class GatewayConnection implements Disposable {
  readonly client: Client;

  /** @param root PEM; without it the connection is in the clear. */
  constructor(port: number, root?: string) {
    const channelCredentials =
      root === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(root));
    this.client = new Client(`localhost:${port}`, channelCredentials, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
    });
  }

  /** @throws ServiceError */
  unary(path: string, request: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const { deadline, signal } = options;
    return new Promise((resolve, reject) => {
      const call = this.client.makeUnaryRequest(
        path,
        asItIs,
        (bytes) => bytes,
        request,
        deadline === undefined ? {} : { deadline },
        (error, answer) => (error === null ? resolve(answer as Uint8Array) : reject(error)),
      );
      signal?.addEventListener('abort', () => call.cancel());
    });
  }

  async commitStatus(request: Uint8Array, options?: CallOptions): Promise<CommitStatusResponse> {
    const answer = await this.unary('/gateway.Gateway/CommitStatus', request, options);
    return CommitStatusResponse.decode(answer);
  }

  events(request: Uint8Array, options: { deadline?: Date } = {}): EventStream {
    const call = this.client.makeServerStreamRequest(
      '/gateway.Gateway/ChaincodeEvents',
      asItIs,
      (bytes: Buffer) => ChaincodeEventsResponse.decode(bytes),
      request,
      options,
    );
    return new EventStream(call);
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** What arrives is kept until it is asked for. */
export class EventStream implements Disposable {
  readonly #call: ClientReadableStream<ChaincodeEventsResponse>;
  readonly #responses: AsyncIterator<ChaincodeEventsResponse>;

  constructor(call: ClientReadableStream<ChaincodeEventsResponse>) {
    this.#call = call;
    this.#responses = call[Symbol.asyncIterator]();
  }

  /** The next message; undefined when the service has ended the stream well. */
  async next(): Promise<ChaincodeEventsResponse | undefined> {
    const { done, value } = await this.#responses.next();
    return done === true ? undefined : value;
  }

  /** Names of the events of the next message, and the number of its block. */
  async nextNames(): Promise<[bigint, ...string[]]> {
    const response = await this.next();
    if (response === undefined) throw new Error('the stream has ended');
    return [response.blockNumber, ...response.events.map(({ eventName }) => eventName)];
  }

  /** The status the service ends the stream with. */
  async failure(): Promise<Partial<ServiceError>> {
    try {
      for (;;) if ((await this.next()) === undefined) return {};
    } catch (error) {
      return error as ServiceError;
    }
  }

  [Symbol.dispose](): void {
    this.#call.on('error', () => {});
    this.#call.cancel();
  }
}

/** ECDSA over SHA-256, DER, low s: as SDKs sign. */
export function signatureOf(member: Signatory, data: Uint8Array): Uint8Array {
  const der = new Uint8Array(sign('sha256', data, member.key.privateKey));
  return normaliseEcdsa(derToRaw(der, 32), 'P-256');
}

/** @returns gateway.SignedCommitStatusRequest bytes. */
export function statusRequest(
  member: Signatory,
  transactionId: string,
  changes: Partial<CommitStatusRequest> & { signature?: Uint8Array } = {},
): Uint8Array {
  const { signature, ...fields } = changes;
  const identity = member.serialized;
  const request = CommitStatusRequest.encode({ transactionId, channelId, identity, ...fields });
  return SignedCommitStatusRequest.encode({
    request,
    signature: signature ?? signatureOf(member, request),
  });
}

/** @returns gateway.SignedChaincodeEventsRequest bytes. */
export function eventsRequest(
  member: Signatory,
  changes: Omit<Partial<ChaincodeEventsRequest>, 'startPosition'> & {
    startPosition?: object;
    signature?: Uint8Array;
  } = {},
): Uint8Array {
  const { signature, ...fields } = changes;
  const request = ChaincodeEventsRequest.encode({
    channelId,
    chaincodeId: 'notary',
    identity: member.serialized,
    ...fields,
  } as ChaincodeEventsRequest);
  return SignedChaincodeEventsRequest.encode({
    request,
    signature: signature ?? signatureOf(member, request),
  });
}
