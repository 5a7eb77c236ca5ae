import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '#base';
import type { Fault } from '#base';
import { encodeFileHead, fileHeadBytes, newSalt, parseFileHead } from './block-file-head.ts';
import { writeFault } from './disk-faults.ts';
import { fault } from './faults.ts';
import { readBytes, readFrame } from './frame-scan.ts';
import type { ScanFile } from './frame-scan.ts';
import { frameHead, frameHeadBytes, frameKinds } from './frames.ts';
import type { Frame } from './frames.ts';

/** Where a frame starts, or where the next one will. */
export interface Place {
  file: number;
  /** In bytes, below 2^32. */
  offset: number;
}

/**
 * The ledger's truth: blocks in order, appended and confirmed by the disk one by one, in files
 * `blocks-000000` and on. Owns the open files; only one instance may append.
 */
export class BlockFiles implements AsyncDisposable {
  readonly #dir: string;
  readonly #fileBytesMax: number;
  #end: Place;
  #appending: (ScanFile & { handle: FileHandle }) | undefined;
  #reading: (ScanFile & { file: number }) | undefined;
  #broken: Fault | undefined;

  /** @param end behind the last whole frame; what is behind it was cut off. */
  constructor(dir: string, end: Place, fileBytesMax: number = limits.ledgerFileBytesMax) {
    this.#dir = dir;
    this.#end = end;
    this.#fileBytesMax = fileBytesMax;
  }

  /** Where the next frame goes. */
  get end(): Place {
    return this.#end;
  }

  /**
   * Appends a frame and waits until the disk has it.
   *
   * @returns where it starts.
   * @throws LEDGER_DISK_FULL the file is as it was before; LEDGER_WRITE_FAILED and
   *   LEDGER_SYNC_FAILED fatal, then and for every later call.
   */
  async append(frame: Frame): Promise<Place> {
    if (this.#broken !== undefined) throw this.#broken;
    const target = await this.#target(frame);
    const place = this.#end;
    const head = frameHead(frame, target.salt);
    try {
      await writeAll(target.handle, [head, frame.payload], place.offset);
    } catch (cause) {
      await this.#undo(target.handle, place, cause);
    }
    await this.#sync(target.handle, place);
    const offset = place.offset + frameHeadBytes + frame.payload.length;
    this.#end = { file: place.file, offset };
    return place;
  }

  /** @throws LEDGER_FILE_CORRUPT no whole frame starts there. */
  read(place: Place): Frame {
    const file = this.#readingFile(place);
    const frame = readFrame(file, place.offset);
    if (frame === undefined) throw corrupt(this.#dir, place);
    return frame;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#appending?.handle.close();
    this.#appending = undefined;
    if (this.#reading !== undefined) closeSync(this.#reading.fd);
    this.#reading = undefined;
  }

  /** A sealing frame stays in the file of the block that it seals. */
  async #target(frame: Frame): Promise<ScanFile & { handle: FileHandle }> {
    const full = this.#end.offset >= this.#fileBytesMax && frame.kind !== frameKinds.sealed;
    if (full) {
      await this.#appending?.handle.close();
      this.#appending = undefined;
      this.#end = { file: this.#end.file + 1, offset: 0 };
    }
    this.#appending ??= await this.#openForAppending();
    return this.#appending;
  }

  async #openForAppending(): Promise<ScanFile & { handle: FileHandle }> {
    const path = blockFilePath(this.#dir, this.#end.file);
    if (this.#end.offset > 0) {
      const handle = await open(path, 'r+');
      return { handle, fd: handle.fd, salt: openSalt(this.#dir, this.#end.file, handle.fd) };
    }
    try {
      const { handle, salt } = await createBlockFile(this.#dir, path);
      this.#end = { file: this.#end.file, offset: fileHeadBytes };
      return { handle, fd: handle.fd, salt };
    } catch (cause) {
      rmSync(path, { force: true });
      throw writeFault(cause, { path });
    }
  }

  async #undo(handle: FileHandle, place: Place, cause: unknown): Promise<never> {
    const failure = writeFault(cause, { path: blockFilePath(this.#dir, place.file) });
    try {
      await handle.truncate(place.offset);
    } catch (undoFailure) {
      this.#broken = fault('LEDGER_WRITE_FAILED', { ...place }, undoFailure);
      throw this.#broken;
    }
    if (failure.kind === 'fatal') this.#broken = failure;
    throw failure;
  }

  /** After a failed sync the kernel may drop what it could not write: nothing can be built on it. */
  async #sync(handle: FileHandle, place: Place): Promise<void> {
    try {
      await handle.datasync();
    } catch (cause) {
      this.#broken = fault('LEDGER_SYNC_FAILED', { ...place }, cause);
      throw this.#broken;
    }
  }

  #readingFile(place: Place): ScanFile {
    if (this.#reading?.file === place.file) return this.#reading;
    if (this.#reading !== undefined) closeSync(this.#reading.fd);
    this.#reading = undefined;
    this.#reading = { ...openBlockFile(this.#dir, place.file), file: place.file };
    return this.#reading;
  }
}

export function blockFilePath(dir: string, file: number): string {
  return join(dir, `blocks-${String(file).padStart(6, '0')}`);
}

/** How many block files there are. @throws LEDGER_FILE_CORRUPT one between them is missing. */
export function countBlockFiles(dir: string): number {
  const names = readdirSync(dir).filter((name) => /^blocks-\d{6,}$/.test(name));
  for (let file = 0; file < names.length; file += 1) {
    if (!existsSync(blockFilePath(dir, file))) throw corrupt(dir, { file, offset: 0 });
  }
  return names.length;
}

/** Opens a block file for reading; the caller closes it. @throws LEDGER_FILE_CORRUPT */
export function openBlockFile(dir: string, file: number): ScanFile {
  const path = blockFilePath(dir, file);
  if (!existsSync(path)) throw corrupt(dir, { file, offset: 0 });
  const fd = openSync(path, 'r');
  try {
    return { fd, salt: openSalt(dir, file, fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Removes a last file whose creation was cut short: no frame was ever in it. */
export function dropUnfinishedFile(dir: string, file: number): boolean {
  const path = blockFilePath(dir, file);
  if (statSync(path).size > fileHeadBytes) return false;
  const fd = openSync(path, 'r');
  const head = readBytes(fd, 0, fileHeadBytes);
  closeSync(fd);
  if (parseFileHead(head) !== undefined) return false;
  rmSync(path);
  return true;
}

export function corrupt(dir: string, place: Place): Fault {
  return fault('LEDGER_FILE_CORRUPT', {
    path: blockFilePath(dir, place.file),
    offset: place.offset,
  });
}

function openSalt(dir: string, file: number, fd: number): number {
  const salt = parseFileHead(readBytes(fd, 0, fileHeadBytes));
  if (salt === undefined) throw corrupt(dir, { file, offset: 0 });
  return salt;
}

async function createBlockFile(
  dir: string,
  path: string,
): Promise<{ handle: FileHandle; salt: number }> {
  const salt = newSalt();
  const handle = await open(path, 'wx+', 0o600);
  try {
    await writeAll(handle, [encodeFileHead(salt)], 0);
    await handle.sync();
    // The name has to be on disk too, or the file is gone after a power cut.
    const directory = await open(dir, 'r');
    await directory.sync().finally(() => directory.close());
    return { handle, salt };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeAll(
  handle: FileHandle,
  parts: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  let at = offset;
  let rest = [...parts];
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = withoutFirst(rest, bytesWritten);
  }
}

function withoutFirst(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  const rest: Uint8Array[] = [];
  for (const part of parts) {
    const skipped = Math.min(left, part.length);
    left -= skipped;
    if (skipped < part.length) rest.push(part.subarray(skipped));
  }
  return rest;
}
