import { Buffer } from 'node:buffer';
import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { Fault, limits } from '#base';
import { DeliverResponse } from '#formats';
import type { Block } from '#formats';
import { fault } from './faults.ts';

/** Where blocks come from. */
export interface BlockSource {
  host: string;
  port: number;
  /** PEM of the authorities that the server's TLS certificate has to chain to. */
  ca: Uint8Array;
}

/** Blocks as they arrive. Nothing in them is checked yet. */
export interface BlockStream extends Disposable {
  /** Whether the connection stands. */
  readonly connected: boolean;
  /**
   * One block after the other; the next is asked of the connection when this one was taken.
   *
   * @throws PEER_STREAM_BROKEN, PEER_STREAM_REFUSED, PEER_BLOCK_UNREADABLE
   */
  blocks(): AsyncGenerator<Block, never>;
}

/**
 * Asks for blocks over one new connection.
 *
 * @param request common.Envelope bytes of a signed SeekInfo.
 * @param signal ends the stream.
 * @see Fabric orderer/ab.proto, AtomicBroadcast.Deliver.
 */
export function openBlockStream(
  source: BlockSource,
  request: Uint8Array,
  signal: AbortSignal,
): BlockStream {
  const secure = credentials.createSsl(Buffer.from(source.ca));
  const client = new Client(addressOf(source), secure, channelOptions);
  const call = client.makeBidiStreamRequest(deliverPath, asBuffer, plainView, {});
  const isConnected = () =>
    client.getChannel().getConnectivityState(false) === connectivityState.READY;
  const leave = () => call.cancel();
  signal.addEventListener('abort', leave, { once: true });
  // A connection that is being made has no bound of its own; one that stands has its pings.
  const timer = setTimeout(() => {
    if (!isConnected()) leave();
  }, limits.deliverConnectWaitMsMax);
  call.write(request);
  if (signal.aborted) leave();
  return {
    get connected() {
      return isConnected();
    },
    blocks: () => readBlocks(call),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      leave();
      // Not heard by anyone any more, but an 'error' without a listener would end the process.
      call.on('error', () => {});
      client.close();
    },
  };
}

const deliverPath = '/orderer.AtomicBroadcast/Deliver';

const channelOptions = {
  'grpc.max_receive_message_length': limits.deliverMessageBytesMax,
  'grpc.max_send_message_length': limits.deliverRequestBytesMax,
  'grpc.keepalive_time_ms': limits.deliverPingMs,
  'grpc.keepalive_timeout_ms': limits.deliverPingWaitMsMax,
  // Each connection starts anew, without what an earlier one left behind of waiting times.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
};

async function* readBlocks(
  call: ClientDuplexStream<Uint8Array, Uint8Array>,
): AsyncGenerator<Block, never> {
  try {
    for await (const response of call) yield blockOf(response as Uint8Array);
  } catch (cause) {
    if (!isStatus(cause)) throw cause;
    throw fault('PEER_STREAM_BROKEN', { status: cause.code, reason: cause.details }, cause);
  }
  throw fault('PEER_STREAM_BROKEN', { reason: 'ended by the other side' });
}

function blockOf(response: Uint8Array): Block {
  const { status, block } = readResponse(response);
  if (block !== undefined) return block;
  throw fault('PEER_STREAM_REFUSED', { status });
}

function readResponse(bytes: Uint8Array): DeliverResponse {
  try {
    return DeliverResponse.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('PEER_BLOCK_UNREADABLE', { bytes: bytes.length }, cause);
  }
}

/** What gRPC throws; the class itself is not exported. */
function isStatus(error: unknown): error is Error & { code: number; details: string } {
  return error instanceof Error && 'code' in error && 'details' in error;
}

function addressOf({ host, port }: BlockSource): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A Buffer's slices share its memory where those of a Uint8Array are copies. */
function plainView(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
