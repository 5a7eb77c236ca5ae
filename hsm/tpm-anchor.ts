import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { limits } from '#base';
import type { EpochAnchor } from './block-guard.ts';
import { fault } from './faults.ts';

const run = promisify(execFile);

/** Where a TPM 2.0 keeps the counter of a guard's epochs. */
export interface TpmCounter {
  /** As tpm2-tools have it: `device:/dev/tpmrm0`, `swtpm:path=…`. */
  readonly tcti: string;
  /** NV index in hex, such as `0x1800100`. */
  readonly nvIndex: string;
  /** File with the index's own authorisation value, mode 0600. */
  readonly authFile: string;
  /** What the counter stood at when it was made: TPMs start counters where earlier ones ended. */
  readonly startValue: string;
}

/**
 * Anchors a guard to a counter in the NV memory of a TPM 2.0, through tpm2-tools.
 *
 * @see TCG TPM 2.0 Library, Part 1, section 37.2.3: a counter never goes back, not even by being
 *   undefined and defined again.
 */
export class TpmAnchor implements EpochAnchor {
  readonly #counter: TpmCounter;

  constructor(counter: TpmCounter) {
    this.#counter = counter;
  }

  /** Tells it from every other counter, and from one that was made anew at its place. */
  get name(): string {
    const { nvIndex, startValue } = this.#counter;
    return `${nvIndex.toLowerCase()}+${startValue}`;
  }

  /**
   * Makes the counter on a TPM that lacks it.
   *
   * @param ownerAuth authorisation of the owner hierarchy, as tpm2-tools have it; empty for none.
   * @throws HSM_ANCHOR_UNREADABLE
   */
  static async define(
    { tcti, nvIndex, authFile }: Omit<TpmCounter, 'startValue'>,
    ownerAuth = '',
  ): Promise<TpmCounter> {
    // Whoever may reach the TPM must not raise it in our place: that would stop the zone.
    const attributes = 'nt=counter|authread|authwrite|no_da';
    const owner = ownerAuth === '' ? [] : ['-P', ownerAuth];
    const args = [nvIndex, '-C', 'o', ...owner, '-s', '8', '-a', attributes];
    await call('tpm2_nvdefine', tcti, [...args, '-p', `file:${authFile}`]);
    const counter = { tcti, nvIndex, authFile, startValue: '0' };
    // Only a counter that was raised once can be read.
    const startValue = await new TpmAnchor(counter).increment();
    return { ...counter, startValue: String(startValue) };
  }

  /** @throws HSM_ANCHOR_UNREADABLE */
  async read(): Promise<bigint> {
    const { tcti, nvIndex } = this.#counter;
    const stdout = await call('tpm2_nvread', tcti, [...this.#access(), '-s', '8', nvIndex]);
    if (stdout.length !== 8) throw fault('HSM_ANCHOR_UNREADABLE', { bytes: stdout.length });
    return stdout.readBigUInt64BE() - BigInt(this.#counter.startValue);
  }

  /** @throws HSM_ANCHOR_UNREADABLE */
  async increment(): Promise<bigint> {
    const { tcti, nvIndex } = this.#counter;
    await call('tpm2_nvincrement', tcti, [...this.#access(), nvIndex]);
    return this.read();
  }

  #access(): string[] {
    const { nvIndex, authFile } = this.#counter;
    return ['-C', nvIndex, '-P', `file:${authFile}`];
  }
}

async function call(tool: string, tcti: string, args: readonly string[]): Promise<Buffer> {
  try {
    const { stdout } = await run(tool, [...args, '-T', tcti], {
      encoding: 'buffer',
      timeout: limits.anchorWaitMsMax,
      maxBuffer: 4096,
    });
    return stdout;
  } catch (cause) {
    // What the tool printed may name files of the machine; it goes to the log, as the cause.
    throw fault('HSM_ANCHOR_UNREADABLE', { tool }, cause);
  }
}
