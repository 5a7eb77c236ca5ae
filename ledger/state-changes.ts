import { removed } from './recent-entries.ts';
import type { RecentValue } from './recent-entries.ts';

/** What blocks did to the state, for a reader whose tables on disk do not have them yet. */
export interface StateChanges {
  /** Blocks that the tables on disk have. */
  base: bigint;
  /** The first block that is in here, and the one behind the last. */
  from: bigint;
  to: bigint;
  /**
   * Block by block: number u64 ‖ count u32, and per key: its length u16 ‖ key ‖ value's length u32 ‖
   * value; a removed key has the length {@link removedLength} and no value. Big-endian.
   */
  bytes: Uint8Array;
}

export type StateChange = [key: string, value: RecentValue];

/** Keeps what the blocks above the tables on disk did to the state. */
export class StateChangeLog {
  #base: bigint;
  readonly #blocks: { number: bigint; changes: readonly StateChange[] }[] = [];

  /** @param base blocks that the tables on disk have. */
  constructor(base: bigint) {
    this.#base = base;
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  add(number: bigint, changes: readonly StateChange[]): void {
    this.#blocks.push({ number, changes });
  }

  /** The tables on disk have all of it now. */
  flushed(base: bigint): void {
    this.#base = base;
    this.#blocks.length = 0;
  }

  /** @param last what the same reader was given before. */
  since(last: Pick<StateChanges, 'base' | 'to'> | undefined): StateChanges {
    const base = this.#base;
    const to = base + BigInt(this.#blocks.length);
    const from = last?.base === base ? last.to : base;
    return { base, from, to, bytes: encode(this.#blocks.slice(Number(from - base))) };
  }
}

/** @returns the changes of each block, in order. */
export function* readChanges(
  bytes: Uint8Array,
): Generator<{ number: bigint; changes: StateChange[] }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < buffer.length) {
    const number = buffer.readBigUInt64BE(at);
    const count = buffer.readUInt32BE(at + 8);
    const changes: StateChange[] = [];
    at += blockHeadBytes;
    for (let index = 0; index < count; index += 1) {
      const keyEnd = at + 2 + buffer.readUInt16BE(at);
      const valueBytes = buffer.readUInt32BE(keyEnd);
      const isRemoved = valueBytes === removedLength;
      const end = keyEnd + 4 + (isRemoved ? 0 : valueBytes);
      const value = isRemoved ? removed : buffer.subarray(keyEnd + 4, end);
      changes.push([buffer.toString('latin1', at + 2, keyEnd), value]);
      at = end;
    }
    yield { number, changes };
  }
}

const removedLength = 0xffffffff;
const blockHeadBytes = 12;
const changeHeadBytes = 6;

function encode(
  blocks: readonly { number: bigint; changes: readonly StateChange[] }[],
): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(sizeOf(blocks));
  let at = 0;
  for (const { number, changes } of blocks) {
    buffer.writeBigUInt64BE(number, at);
    buffer.writeUInt32BE(changes.length, at + 8);
    at += blockHeadBytes;
    for (const [key, value] of changes) {
      buffer.writeUInt16BE(key.length, at);
      at += 2;
      at += buffer.write(key, at, 'latin1');
      if (value === removed) at = buffer.writeUInt32BE(removedLength, at);
      else {
        at = buffer.writeUInt32BE(value.length, at);
        buffer.set(value, at);
        at += value.length;
      }
    }
  }
  return buffer;
}

function sizeOf(blocks: readonly { changes: readonly StateChange[] }[]): number {
  let bytes = 0;
  for (const { changes } of blocks) {
    bytes += blockHeadBytes;
    for (const [key, value] of changes) {
      bytes += changeHeadBytes + key.length + (value === removed ? 0 : value.length);
    }
  }
  return bytes;
}
