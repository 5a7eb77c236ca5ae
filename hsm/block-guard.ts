import { join } from 'node:path';
import { equalBytes, toHex } from '#base';
import { fault } from './faults.ts';
import { GuardFile } from './guard-file.ts';
import { lockDirectory } from './guard-lock.ts';
import type { GuardRecord } from './guard-record.ts';

/** A block that wants to be signed; all hashes are of 32 bytes, `previousHash` empty for block 0. */
export interface GuardedBlock extends GuardRecord {
  readonly previousHash: Uint8Array;
}

/**
 * Allows one block per channel and height, and remembers it across crashes.
 * Two signed blocks at one height would split the peers for ever.
 */
export class BlockGuard implements AsyncDisposable {
  readonly #latest = new Map<string, GuardRecord>();
  readonly #file: GuardFile;
  readonly #lock: { release(): Promise<void> };

  private constructor(file: string, lock: { release(): Promise<void> }) {
    this.#lock = lock;
    this.#file = new GuardFile(file, (record) => this.#replay(record, file));
  }

  /**
   * @param stateDir on a local disk, one signer host's own; the record is its file `blocks.guard`.
   * @throws HSM_GUARD_LOCKED, HSM_GUARD_UNREADABLE, HSM_GUARD_CORRUPT
   */
  static async open(stateDir: string): Promise<BlockGuard> {
    const lock = await lockDirectory(stateDir);
    try {
      return new BlockGuard(join(stateDir, 'blocks.guard'), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Returns when the block is on record and may be signed; the same block may come again.
   *
   * @throws HSM_BLOCK_CONFLICT, HSM_BLOCK_PAST, HSM_BLOCK_GAP, HSM_GUARD_FULL, HSM_GUARD_READONLY
   */
  allow(block: GuardedBlock): void {
    const { channel, number, headerHash, previousHash } = block;
    const last = this.#latest.get(channel);
    const detail = { channel, number, last: last?.number };
    if (last !== undefined) {
      if (number < last.number) throw fault('HSM_BLOCK_PAST', detail);
      if (number === last.number) {
        if (equalBytes(headerHash, last.headerHash)) return;
        throw fault('HSM_BLOCK_CONFLICT', { ...detail, signed: toHex(last.headerHash) });
      }
      const follows = number === last.number + 1n && equalBytes(previousHash, last.headerHash);
      if (!follows) throw fault('HSM_BLOCK_GAP', detail);
    }
    const record = { channel, number, headerHash: Uint8Array.from(headerHash) };
    this.#file.append(record, () => this.#latest.values());
    this.#latest.set(channel, record);
  }

  async close(): Promise<void> {
    this.#file.close();
    await this.#lock.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #replay(record: GuardRecord, file: string): void {
    const last = this.#latest.get(record.channel);
    if (last !== undefined && record.number !== last.number + 1n) {
      throw fault('HSM_GUARD_CORRUPT', { file, channel: record.channel, number: record.number });
    }
    this.#latest.set(record.channel, record);
  }
}
