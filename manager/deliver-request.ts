import { Fault } from '#base';
import {
  ChannelHeader,
  Envelope,
  Payload,
  SeekInfo,
  SignatureHeader,
  seekBehaviors,
  seekContentTypes,
} from '#formats';
import type { SeekPosition } from '#formats';
import { fault } from './faults.ts';

/** Who asks for blocks of which channel, and when; what is asked for is in `body`, not yet read. */
export interface SeekHeader {
  channelId: string;
  /** The asker's clock, milliseconds since the Unix epoch. */
  sentMs: number;
  /** msp.SerializedIdentity bytes. */
  creator: Uint8Array;
  /** The bytes that `signature` signs. */
  payload: Uint8Array;
  signature: Uint8Array;
  /** orderer.SeekInfo bytes. */
  body: Uint8Array;
}

/** `none`: a position of no type. */
export type BlockPosition = 'oldest' | 'newest' | 'nextCommit' | 'none' | bigint;

/** Which blocks are asked for, and in what form. */
export interface Seek {
  start: BlockPosition;
  stop: BlockPosition;
  failIfNotReady: boolean;
  headersOnly: boolean;
}

/**
 * Reads the outside of a signed request for blocks. The signature is the caller's to check.
 *
 * @param bytes common.Envelope.
 * @throws MANAGER_SEEK_INVALID
 */
export function parseSeekHeader(bytes: Uint8Array): SeekHeader {
  return asSeekFault(() => {
    const { payload, signature } = Envelope.decode(bytes);
    const { header, data } = Payload.decode(payload);
    if (header === undefined) throw invalid('no header');
    const { channelId, timestamp } = ChannelHeader.decode(header.channelHeader);
    if (timestamp === undefined) throw invalid('no timestamp');
    const { creator } = SignatureHeader.decode(header.signatureHeader);
    const sentMs = Number(timestamp.seconds) * 1_000 + timestamp.nanos / 1_000_000;
    return { channelId, sentMs, creator, payload, signature, body: data };
  });
}

/** Reads what is asked for. @throws MANAGER_SEEK_INVALID */
export function parseSeek(body: Uint8Array): Seek {
  return asSeekFault(() => {
    const { start, stop, behavior, contentType } = SeekInfo.decode(body);
    if (start === undefined || stop === undefined) throw invalid('no start or no stop');
    if (!isOneOf(seekBehaviors, behavior)) throw invalid('behavior');
    if (!isOneOf(seekContentTypes, contentType)) throw invalid('content type');
    return {
      start: positionOf(start),
      stop: positionOf(stop),
      failIfNotReady: behavior === seekBehaviors.failIfNotReady,
      headersOnly: contentType === seekContentTypes.headerWithSignature,
    };
  });
}

function positionOf({ oldest, newest, nextCommit, specified }: SeekPosition): BlockPosition {
  if (oldest !== undefined) return 'oldest';
  if (newest !== undefined) return 'newest';
  if (nextCommit !== undefined) return 'nextCommit';
  return specified?.number ?? 'none';
}

function isOneOf(table: Readonly<Record<string, number>>, value: number): boolean {
  return Object.values(table).includes(value);
}

function invalid(reason: string): Error {
  return fault('MANAGER_SEEK_INVALID', { reason });
}

function asSeekFault<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Fault ? cause.detail['reason'] : undefined;
    throw fault('MANAGER_SEEK_INVALID', { reason }, cause);
  }
}
