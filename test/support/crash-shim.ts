import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compiledShim } from './compiled-shim.ts';

/** A write or sync of a file, at which a process ends as kill -9 ends it. */
export interface CrashPoint {
  readonly call: 'write' | 'sync';
  /** `torn`: half of what was to be written is. */
  readonly moment: 'before' | 'after' | 'torn';
  /** Part of the process's command line. */
  readonly process: string;
  /** Part of the file's path. */
  readonly file: string;
}

/** `struct control` of shim.c: four 32-bit fields, two texts of 64 bytes. */
const textBytes = 64;
const controlBytes = 16 + 2 * textBytes;
const calls = { write: 1, sync: 2 } as const;
const moments = { before: 0, after: 1, torn: 2 } as const;
const states = { idle: 0, armed: 1 } as const;

/** Ends processes at points of their files; those started with `environment` are in its reach. */
export class CrashShim implements Disposable {
  readonly environment: Readonly<Record<string, string>>;
  readonly #file: number;

  /** @param dir where its control file is to be. */
  constructor(dir: string) {
    const path = join(dir, 'crash-control');
    this.#file = openSync(path, 'w+', 0o600);
    this.#write(Buffer.alloc(controlBytes));
    const library = compiledShim(join(import.meta.dirname, 'crash-shim', 'shim.c'));
    this.environment = { LD_PRELOAD: library, COUNTERSIGN_CRASH_CONTROL: path };
  }

  /** @param countdown such calls that are let pass before. */
  arm({ call, moment, process, file }: CrashPoint, countdown: number): void {
    const bytes = Buffer.alloc(controlBytes);
    this.#write(Buffer.alloc(4));
    bytes.writeUInt32LE(calls[call], 4);
    bytes.writeUInt32LE(moments[moment], 8);
    bytes.writeUInt32LE(countdown, 12);
    bytes.write(process, 16, textBytes - 1);
    bytes.write(file, 16 + textBytes, textBytes - 1);
    this.#write(bytes);
    bytes.writeUInt32LE(states.armed, 0);
    this.#write(bytes.subarray(0, 4));
  }

  get isArmed(): boolean {
    const bytes = Buffer.alloc(4);
    readSync(this.#file, bytes, 0, 4, 0);
    return bytes.readUInt32LE() === states.armed;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #write(bytes: Buffer): void {
    writeSync(this.#file, bytes, 0, bytes.length, 0);
  }
}
