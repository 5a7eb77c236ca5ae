import { fstatSync, readSync } from 'node:fs';
import { findMagic, frameHeadBytes, isPayloadOf, parseFrameHead } from './frames.ts';
import type { Frame } from './frames.ts';

/** A block file open for reading. */
export interface ScanFile {
  fd: number;
  salt: number;
}

export type ScanEnd =
  | { state: 'complete'; end: number }
  /** The last write did not finish: nothing that was ever confirmed stands behind `end`. */
  | { state: 'torn'; end: number; tornBytes: number }
  /** Confirmed frames stand behind a damaged one. */
  | { state: 'damaged'; end: number };

/**
 * Reads frame after frame from `offset` to the file's end.
 *
 * Every frame is confirmed by the disk before the next one is written. So what cannot be read is an
 * unfinished last write, unless a whole frame stands anywhere behind it.
 *
 * @param onFrame gets each frame and the offset it starts at.
 */
export function scanFrames(
  file: ScanFile,
  offset: number,
  onFrame: (frame: Frame, offset: number) => void,
): ScanEnd {
  const size = fstatSync(file.fd).size;
  let at = offset;
  while (at < size) {
    const frame = readFrame(file, at);
    if (frame === undefined) {
      if (frameStandsBehind(file, at, size)) return { state: 'damaged', end: at };
      return { state: 'torn', end: at, tornBytes: size - at };
    }
    onFrame(frame, at);
    at += frameHeadBytes + frame.payload.length;
  }
  return { state: 'complete', end: at };
}

/** @returns undefined unless a whole, undamaged frame starts at `offset`. */
export function readFrame(file: ScanFile, offset: number): Frame | undefined {
  const head = parseFrameHead(readBytes(file.fd, offset, frameHeadBytes), file.salt);
  if (head === undefined) return undefined;
  const payload = readBytes(file.fd, offset + frameHeadBytes, head.payloadBytes);
  if (!isPayloadOf(head, payload, file.salt)) return undefined;
  return { kind: head.kind, number: head.number, payload };
}

/** @returns fewer bytes than asked for at the end of the file. */
export function readBytes(fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, offset + read);
    if (count === 0) return bytes.subarray(0, read);
    read += count;
  }
  return bytes;
}

const windowBytes = 1024 * 1024;

function frameStandsBehind(file: ScanFile, damagedAt: number, size: number): boolean {
  let from = damagedAt + 1;
  while (from < size) {
    // Windows overlap by a head, so that none is cut in two.
    const window = readBytes(file.fd, from, windowBytes + frameHeadBytes);
    let found = findMagic(window, 0);
    while (found >= 0 && found < windowBytes) {
      if (readFrame(file, from + found) !== undefined) return true;
      found = findMagic(window, found + 1);
    }
    from += windowBytes;
  }
  return false;
}
