import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file of its owner's alone; on the disk when this returns, but for its name. */
export function writeDurably(file: string, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whoever reads it meanwhile, or after a crash, finds the old file or the new one. */
export function replaceFile(file: string, bytes: Uint8Array): void {
  const staged = `${file}.new`;
  writeDurably(staged, bytes);
  renameSync(staged, file);
  syncDirectory(dirname(file));
}

/** Brings to the disk which files there are: a file's own sync leaves out its name. */
export function syncDirectory(dir: string): void {
  const descriptor = openSync(dir, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether an error of a write says that there is no room, which may be made, and nothing worse. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
