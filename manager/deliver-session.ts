import { Fault, limits } from '#base';
import type { Clock, FaultKind, Log } from '#base';
import {
  Block,
  DeliverResponse,
  deliverStatuses,
  encodeBlockResponse,
  headerView,
  isConfigBlock,
  ordererView,
} from '#formats';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import { parseSeek, parseSeekHeader } from './deliver-request.ts';
import type { Seek, SeekHeader } from './deliver-request.ts';
import { fault } from './faults.ts';
import type { GrpcStream } from './grpc-call.ts';

/** What sessions read from. */
export interface DeliverSource {
  /** The configuration in force after the newest block of `ledger`. */
  channelConfig: () => ChannelConfig;
  ledger: Pick<Ledger, 'height' | 'rawBlock' | 'waitForHeight'>;
  clock: Clock;
  log: Log;
}

/**
 * Answers one client's requests for blocks as a stock ordering service does: one at a time, each
 * with its blocks and then a status, until one fails. An endless request gets blocks only: a peer
 * takes any status, success too, for a failure.
 *
 * @see Fabric common/deliver/deliver.go, Handle.
 */
export async function serveDeliver(stream: GrpcStream, source: DeliverSource): Promise<void> {
  for (;;) {
    const request = await stream.next();
    if (request === undefined) return;
    const status = await answerSeek(stream, source, request);
    await stream.send(DeliverResponse.encode({ status }));
    if (status !== deliverStatuses.success) return;
  }
}

async function answerSeek(
  stream: GrpcStream,
  source: DeliverSource,
  request: Uint8Array,
): Promise<number> {
  try {
    const header = parseSeekHeader(request);
    checkHeader(header, source);
    const access = new ReaderAccess(header, source);
    access.check();
    await sendBlocks(stream, source, access, parseSeek(header.body));
    return deliverStatuses.success;
  } catch (error) {
    if (!(error instanceof Fault) || stream.signal.aborted) throw error;
    if (error.code === 'MANAGER_STREAM_STALLED') throw error;
    const { code, kind, detail } = error;
    const log = kind === 'denied' ? source.log.child({ part: 'audit' }) : source.log;
    log.info({ code, ...detail }, 'A request for blocks was refused.');
    return statusByKind[kind];
  }
}

const statusByKind: Readonly<Record<FaultKind, number>> = {
  malformed: deliverStatuses.badRequest,
  unauthenticated: deliverStatuses.forbidden,
  denied: deliverStatuses.forbidden,
  absent: deliverStatuses.notFound,
  conflict: deliverStatuses.badRequest,
  busy: deliverStatuses.serviceUnavailable,
  broken: deliverStatuses.internalServerError,
  fatal: deliverStatuses.internalServerError,
};

function checkHeader(header: SeekHeader, { channelConfig, clock }: DeliverSource): void {
  const skewMs = Math.abs(header.sentMs - clock.nowMs());
  if (!(skewMs <= limits.clockSkewSecondsMax * 1_000)) {
    throw fault('MANAGER_SEEK_INVALID', { reason: 'clock', skewMs });
  }
  if (header.channelId !== channelConfig().channelId) {
    throw fault('MANAGER_CHANNEL_UNKNOWN', {
      channel: header.channelId.slice(0, limits.nameBytes),
    });
  }
}

/** A client's right to read, asked again whenever the channel's configuration has changed. */
class ReaderAccess {
  readonly #header: SeekHeader;
  readonly #source: DeliverSource;
  #checkedUnder: ChannelConfig | undefined;
  #expiryMs = 0;

  constructor(header: SeekHeader, source: DeliverSource) {
    this.#header = header;
    this.#source = source;
  }

  /** @throws MANAGER_READER_DENIED */
  check(): void {
    const config = this.#source.channelConfig();
    if (config !== this.#checkedUnder) this.#evaluate(config);
    if (this.#source.clock.nowMs() > this.#expiryMs) throw denied('certificate expired');
  }

  #evaluate(config: ChannelConfig): void {
    const { creator, payload, signature } = this.#header;
    try {
      this.#expiryMs = config.identity(creator).certificate.notAfter.getTime();
    } catch (cause) {
      throw denied('identity', cause);
    }
    const signed = { identity: creator, data: payload, signature };
    if (!config.evaluate('/Channel/Readers', [signed])) throw denied('policy');
    this.#checkedUnder = config;
  }
}

function denied(reason: string, cause?: unknown): Error {
  return fault('MANAGER_READER_DENIED', { reason }, cause);
}

async function sendBlocks(
  stream: GrpcStream,
  source: DeliverSource,
  access: ReaderAccess,
  seek: Seek,
): Promise<void> {
  const { ledger } = source;
  const { first, last } = rangeOf(seek, ledger.height);
  for (let number = first; number <= last; number += 1n) {
    if (number >= ledger.height) {
      if (seek.failIfNotReady) throw fault('MANAGER_BLOCK_ABSENT', { number });
      await ledger.waitForHeight(number + 1n, stream.signal);
    }
    access.check();
    const stored = ledger.rawBlock(number);
    if (stored === undefined) throw fault('MANAGER_BLOCK_ABSENT', { number });
    await stream.send(
      encodeBlockResponse(seek.headersOnly ? headerOf(stored) : ordererView(stored)),
    );
  }
}

function rangeOf({ start, stop }: Seek, height: bigint): { first: bigint; last: bigint } {
  const first = start === 'oldest' ? 0n : start === 'newest' ? height - 1n : start;
  if (first > height) throw fault('MANAGER_BLOCK_ABSENT', { number: first });
  const newest = start === 'newest' ? first : height - 1n;
  const last = stop === 'oldest' ? first : stop === 'newest' ? newest : stop;
  if (last < first) throw fault('MANAGER_SEEK_INVALID', { reason: 'stop before start' });
  return { first, last };
}

/** Whoever follows headers still needs configurations whole, to know who may sign the next ones. */
function headerOf(stored: Uint8Array): Uint8Array {
  return isConfigBlock(Block.decode(stored)) ? ordererView(stored) : headerView(stored);
}
