import { Fault, limits } from '#base';
import type { FaultKind, Log } from '#base';
import { DeliverResponse, deliverStatuses } from '#formats';
import type { Ledger } from '#ledger';
import type { BlockForm } from './block-forms.ts';
import { parseSeek, parseSeekHeader } from './deliver-request.ts';
import type { BlockPosition, Seek, SeekHeader } from './deliver-request.ts';
import { fault } from './faults.ts';
import type { GrpcStream } from './grpc-call.ts';
import { ReaderAccess } from './reader-access.ts';
import type { AccessSource } from './reader-access.ts';

/** What sessions read from. */
export interface DeliverSource extends AccessSource {
  ledger: Pick<Ledger, 'height' | 'waitForHeight'>;
  log: Log;
  /** Hears of a reader who knows blocks that the ledger lacks: it may have been restored from a copy. */
  onAhead?: (wanted: bigint) => void;
}

/**
 * Answers one client's requests for blocks as a stock ordering service or peer does: one at a time,
 * each with its blocks and then a status, until one fails. An endless request gets blocks only: a
 * peer takes any status, success too, for a failure.
 *
 * @see Fabric common/deliver/deliver.go, Handle.
 */
export async function serveDeliver(
  stream: GrpcStream,
  source: DeliverSource,
  form: BlockForm,
): Promise<void> {
  for (;;) {
    const request = await stream.next();
    if (request === undefined) return;
    const status = await answerSeek(stream, source, form, request);
    await stream.send(DeliverResponse.encode({ status }));
    if (status !== deliverStatuses.success) return;
  }
}

async function answerSeek(
  stream: GrpcStream,
  source: DeliverSource,
  form: BlockForm,
  request: Uint8Array,
): Promise<number> {
  try {
    const header = parseSeekHeader(request);
    checkHeader(header, source);
    const { creator: identity, payload: data, signature } = header;
    const access = new ReaderAccess({ identity, data, signature }, form.policyPath, source);
    access.check();
    const seek = parseSeek(header.body);
    const { start } = seek;
    // Who has block n asks for n + 1, which is the height of whoever has n too.
    if (typeof start === 'bigint' && start > source.ledger.height) source.onAhead?.(start);
    for await (const number of blockNumbers(seek, form, source.ledger, stream.signal)) {
      access.check();
      await stream.send(form.response(number, seek));
    }
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

/** Waits for each block that is not there yet. @throws MANAGER_BLOCK_ABSENT, MANAGER_SEEK_INVALID */
async function* blockNumbers(
  seek: Seek,
  form: BlockForm,
  ledger: DeliverSource['ledger'],
  signal: AbortSignal,
): AsyncGenerator<bigint> {
  const { first, last } = rangeOf(seek, form, ledger.height);
  for (let number = first; number <= last; number += 1n) {
    if (number >= ledger.height) {
      if (seek.failIfNotReady) throw fault('MANAGER_BLOCK_ABSENT', { number });
      await ledger.waitForHeight(number + 1n, signal);
    }
    yield number;
  }
}

function rangeOf(
  { start, stop }: Seek,
  form: BlockForm,
  height: bigint,
): { first: bigint; last: bigint } {
  const first = firstOf(start, form, height);
  if (first > height) throw fault('MANAGER_BLOCK_ABSENT', { number: first });
  const newest = start === 'newest' ? first : height - 1n;
  const last = stop === 'oldest' ? first : stop === 'newest' ? newest : stop;
  if (last === 'nextCommit' || last === 'none')
    throw fault('MANAGER_SEEK_INVALID', { reason: 'position' });
  if (last < first) throw fault('MANAGER_SEEK_INVALID', { reason: 'stop before start' });
  return { first, last };
}

function firstOf(start: BlockPosition, form: BlockForm, height: bigint): bigint {
  switch (start) {
    case 'oldest':
      return 0n;
    case 'newest':
      return height - 1n;
    case 'nextCommit':
      if (form.fromNextCommit) return height;
      throw fault('MANAGER_SEEK_INVALID', { reason: 'position' });
    case 'none':
      // As in Fabric, where no block has such a position.
      throw fault('MANAGER_BLOCK_ABSENT', { position: 'none' });
    default:
      return start;
  }
}
