import { crc32 } from 'node:zlib';
import { equalBytes, utf8 } from '#base';

/** A block that was allowed to be signed, or by which the guard of another host stands. */
export interface BlockMark {
  readonly channel: string;
  readonly number: bigint;
  /** SHA-256 of the header's DER, 32 bytes. */
  readonly headerHash: Uint8Array;
}

/**
 * `block`: was allowed. `floor`: was taken over from another guard. `epoch`: from here on the
 * holder named in `headerHash` writes, and records of lower epochs count no more. `moved`: the
 * file is written anew, and nothing after this counts.
 */
export const recordKinds = ['block', 'epoch', 'floor', 'moved'] as const;
export type RecordKind = (typeof recordKinds)[number];

export interface GuardRecord extends BlockMark {
  readonly kind: RecordKind;
  readonly epoch: bigint;
}

/** A record fills one sector, the unit that disks write whole. */
export const recordBytes = 512;

/**
 * Layout: magic 4 ‖ channel length 1 ‖ channel 249 ‖ number u64 ‖ header hash 32 ‖ sequence u64 ‖
 * kind u8 ‖ epoch u64 ‖ zeros ‖ CRC-32 of all that u32 ‖ end mark 4. A write that a crash cut short
 * lacks the end mark.
 */
const magic = utf8('CSG1');
const endMark = utf8('1GSC');
const channelBytesMax = 249;
const offsets = {
  channelLength: 4,
  channel: 5,
  number: 254,
  hash: 262,
  sequence: 294,
  kind: 302,
  epoch: 303,
} as const;
const crcOffset = recordBytes - 8;
const endOffset = recordBytes - 4;

/** @param sequence of the record in its file; it shows a lost or doubled sector. */
export function encodeRecord(record: GuardRecord, sequence: bigint): Uint8Array {
  const bytes = Buffer.alloc(recordBytes);
  const channel = utf8(record.channel);
  bytes.set(magic);
  bytes[offsets.channelLength] = channel.length;
  bytes.set(channel, offsets.channel);
  bytes.writeBigUInt64BE(record.number, offsets.number);
  bytes.set(record.headerHash, offsets.hash);
  bytes.writeBigUInt64BE(sequence, offsets.sequence);
  bytes[offsets.kind] = recordKinds.indexOf(record.kind);
  bytes.writeBigUInt64BE(record.epoch, offsets.epoch);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, crcOffset)), crcOffset);
  bytes.set(endMark, endOffset);
  return bytes;
}

/**
 * `torn`: a write that never ended, so nothing was signed on it. `corrupt`: anything else.
 * A record whose check sum holds counts, even if its end mark is missing.
 */
export type RecordReading =
  { readonly record: GuardRecord; readonly sequence: bigint } | 'torn' | 'corrupt';

/** @param sector up to 512 bytes, from a record's start on. */
export function readRecord(sector: Uint8Array): RecordReading {
  const bytes = Buffer.alloc(recordBytes);
  bytes.set(sector);
  if (bytes.readUInt32BE(crcOffset) !== crc32(bytes.subarray(0, crcOffset))) {
    return isTorn(bytes) ? 'torn' : 'corrupt';
  }
  const end = bytes.subarray(endOffset);
  if (!bytes.subarray(0, 4).equals(magic) || !isPrefixThenZeros(end, endMark)) return 'corrupt';
  const length = bytes[offsets.channelLength] as number;
  const kind = recordKinds[bytes[offsets.kind] as number];
  if (length > channelBytesMax || kind === undefined) return 'corrupt';
  const record = {
    kind,
    epoch: bytes.readBigUInt64BE(offsets.epoch),
    channel: bytes.toString('utf8', offsets.channel, offsets.channel + length),
    number: bytes.readBigUInt64BE(offsets.number),
    headerHash: Uint8Array.from(bytes.subarray(offsets.hash, offsets.hash + 32)),
  };
  return { record, sequence: bytes.readBigUInt64BE(offsets.sequence) };
}

function isTorn(bytes: Buffer): boolean {
  const written = recordBytes - trailingZeros(bytes);
  // The check sum goes out before the end mark: with one the other must have been right.
  return written <= endOffset && isPrefixThenZeros(bytes.subarray(0, 4), magic);
}

function isPrefixThenZeros(bytes: Uint8Array, whole: Uint8Array): boolean {
  const length = bytes.length - trailingZeros(bytes);
  return equalBytes(bytes.subarray(0, length), whole.subarray(0, length));
}

function trailingZeros(bytes: Uint8Array): number {
  let count = 0;
  while (count < bytes.length && bytes[bytes.length - 1 - count] === 0) count += 1;
  return count;
}
