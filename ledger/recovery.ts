import { closeSync, statSync, truncateSync } from 'node:fs';
import { equalBytes } from '#base';
import type { Log } from '#base';
import { Block, headerHash } from '#formats';
import { fileHeadBytes } from './block-file-head.ts';
import {
  BlockFiles,
  blockFilePath,
  corrupt,
  countBlockFiles,
  dropUnfinishedFile,
  openBlockFile,
} from './block-files.ts';
import type { Place } from './block-files.ts';
import { readBlockEntry } from './block-index.ts';
import { fault } from './faults.ts';
import { scanFrames } from './frame-scan.ts';
import { frameHeadBytes, frameKinds } from './frames.ts';
import type { Frame } from './frames.ts';
import type { Savepoint } from './savepoint.ts';
import type { Store } from './store.ts';

/** A block on disk that the tables do not have yet. */
export interface FoundBlock {
  number: bigint;
  place: Place;
  /** Set when the metadata is a frame of its own. */
  metadataPlace?: Place;
  /** False for a block that still waits for its signature: at most one, the last. */
  complete: boolean;
  end: Place;
}

/**
 * Reads the block files from the savepoint on, cuts off a last write that did not finish, and says
 * which blocks are to be applied.
 *
 * @throws LEDGER_FILE_CORRUPT with the place; LEDGER_STATE_AHEAD, LEDGER_STATE_MISMATCH
 */
export function recoverBlockFiles(
  dir: string,
  store: Store,
  savepoint: Savepoint | undefined,
  log: Log,
): { files: BlockFiles; found: FoundBlock[] } {
  const fileCount = countFiles(dir, log);
  if (savepoint !== undefined) refuseLostBlocks(dir, savepoint, fileCount);
  const start = savepoint?.place ?? { file: 0, offset: fileHeadBytes };
  const sequence = new FrameSequence(dir, savepoint?.height ?? 0n);
  let end: Place = fileCount === 0 ? { file: 0, offset: 0 } : start;
  for (let file = start.file; file < fileCount; file += 1) {
    const offset = file === start.file ? start.offset : fileHeadBytes;
    const isLast = file === fileCount - 1;
    end = { file, offset: scanFile(dir, { file, offset }, isLast, sequence, log) };
  }
  const files = new BlockFiles(dir, end);
  if (savepoint !== undefined) refuseForeignState(files, store, savepoint);
  return { files, found: sequence.blocks };
}

function countFiles(dir: string, log: Log): number {
  const count = countBlockFiles(dir);
  if (count === 0 || !dropUnfinishedFile(dir, count - 1)) return count;
  log.warn({ file: count - 1 }, 'removed a block file whose creation did not finish');
  return count - 1;
}

function refuseLostBlocks(dir: string, { place, height }: Savepoint, fileCount: number): void {
  const present =
    place.file < fileCount && statSync(blockFilePath(dir, place.file)).size >= place.offset;
  if (!present) throw fault('LEDGER_STATE_AHEAD', { height, ...place });
}

/** The newest block of the tables has to be the one that the files hold at its place. */
function refuseForeignState(files: BlockFiles, store: Store, savepoint: Savepoint): void {
  const number = savepoint.height - 1n;
  const entry = readBlockEntry(store, number);
  if (entry === undefined) throw fault('LEDGER_STATE_MISMATCH', { number });
  const { header } = Block.decode(files.read(entry.place).payload);
  if (header === undefined || !equalBytes(headerHash(header), savepoint.headerHash)) {
    throw fault('LEDGER_STATE_MISMATCH', { number });
  }
}

/** @returns the offset behind the last whole frame. */
function scanFile(
  dir: string,
  from: Place,
  isLast: boolean,
  sequence: FrameSequence,
  log: Log,
): number {
  const opened = openBlockFile(dir, from.file);
  try {
    const result = scanFrames(opened, from.offset, (frame, offset) =>
      sequence.add(frame, { file: from.file, offset }),
    );
    if (result.state === 'complete') return result.end;
    // Only the last file can end in an unfinished write: each is complete before the next begins.
    if (result.state === 'damaged' || !isLast) {
      throw corrupt(dir, { file: from.file, offset: result.end });
    }
    log.warn(
      { file: from.file, offset: result.end, tornBytes: result.tornBytes },
      'cut off a write that did not finish',
    );
    truncateSync(blockFilePath(dir, from.file), result.end);
    return result.end;
  } finally {
    closeSync(opened.fd);
  }
}

/** Holds frames to the only order in which they are written. */
class FrameSequence {
  readonly blocks: FoundBlock[] = [];
  readonly #dir: string;
  #next: bigint;

  constructor(dir: string, next: bigint) {
    this.#dir = dir;
    this.#next = next;
  }

  add(frame: Frame, place: Place): void {
    const end = { file: place.file, offset: place.offset + frameHeadBytes + frame.payload.length };
    const { number } = frame;
    const open = this.blocks.at(-1);
    const awaitsSeal = open !== undefined && !open.complete;
    if (frame.kind === frameKinds.sealed) {
      if (!awaitsSeal || open.number !== number) throw corrupt(this.#dir, place);
      Object.assign(open, { metadataPlace: place, complete: true, end });
      return;
    }
    if (awaitsSeal || number !== this.#next) throw corrupt(this.#dir, place);
    this.#next += 1n;
    this.blocks.push({ number, place, complete: frame.kind === frameKinds.block, end });
  }
}
