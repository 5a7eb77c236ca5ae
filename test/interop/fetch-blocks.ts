import { randomBytes, sign } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { systemClock, utf8 } from '#base';
import { derToRaw, normaliseEcdsa } from '#crypto';
import {
  Block,
  DeliverResponse,
  Envelope,
  Payload,
  SeekInfo,
  SeekPosition,
  SerializedIdentity,
  SignatureHeader,
  buildChannelHeader,
  headerTypes,
} from '#formats';

export interface FetchOptions {
  /** Of the peer, on this machine. */
  readonly port: number;
  /** PEM of the authority of the peer's TLS certificate, which names localhost. */
  readonly root: string;
  /** A reader of the channel. */
  readonly mspId: string;
  readonly mspDir: string;
  readonly channel: string;
}

const fetchWaitMsMax = 30_000;

/**
 * Blocks as a stock peer keeps them, from its Deliver service: many at once, where its command line
 * has one at a time.
 *
 * @returns common.Block bytes of all blocks from `start` on and below `end`.
 */
export async function fetchBlocks(
  options: FetchOptions,
  start: bigint,
  end: bigint,
): Promise<Uint8Array[]> {
  const signal = AbortSignal.timeout(fetchWaitMsMax);
  const blocks = await Array.fromAsync(followBlocks(options, { start, end, signal }));
  if (BigInt(blocks.length) === end - start) return blocks;
  throw new Error(`${blocks.length} blocks of ${start} to ${end}`);
}

/**
 * The same blocks as the peer commits them.
 *
 * @param end of the last block and one; there may be no such block yet.
 * @param signal ends it.
 * @returns common.Block bytes.
 * @see fabric-protos peer/events.proto, service Deliver.
 */
export async function* followBlocks(
  options: FetchOptions,
  { start, end, signal }: { start: bigint; end: bigint; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const client = new Client(
    `localhost:${options.port}`,
    credentials.createSsl(Buffer.from(options.root)),
    { 'grpc.max_receive_message_length': -1 },
  );
  const call = client.makeBidiStreamRequest(
    '/protos.Deliver/Deliver',
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => new Uint8Array(bytes),
  );
  const cancel = () => call.cancel();
  signal.addEventListener('abort', cancel);
  try {
    call.write(seekEnvelope(options, start, end - 1n));
    call.end();
    // The status comes last. A peer.DeliverResponse has the fields of an orderer's, and more.
    for await (const answer of call) {
      const { block } = DeliverResponse.decode(answer as Uint8Array);
      if (block !== undefined) yield Block.encode(block);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    client.close();
  }
}

function seekEnvelope(options: FetchOptions, start: bigint, stop: bigint): Uint8Array {
  const { channel, mspId, mspDir } = options;
  const at = (number: bigint): SeekPosition => ({
    ...SeekPosition.initial(),
    specified: { number },
  });
  const pem = (folder: string) => {
    const [file = ''] = readdirSync(join(mspDir, folder));
    return readFileSync(join(mspDir, folder, file), 'utf8');
  };
  const creator = SerializedIdentity.encode({ mspid: mspId, idBytes: utf8(pem('signcerts')) });
  const payload = Payload.encode({
    header: {
      channelHeader: buildChannelHeader({
        type: headerTypes.deliverSeekInfo,
        channel,
        timeMs: systemClock.nowMs(),
      }),
      signatureHeader: SignatureHeader.encode({
        creator,
        nonce: new Uint8Array(randomBytes(24)),
      }),
    },
    data: SeekInfo.encode({ start: at(start), stop: at(stop) }),
  });
  const der = new Uint8Array(sign('sha256', payload, pem('keystore')));
  return Envelope.encode({ payload, signature: normaliseEcdsa(derToRaw(der, 32), 'P-256') });
}
