import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that runs beside a test, writes a log and can be started again. */
export class ChildProgram implements AsyncDisposable {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(start: {
    command: string;
    args: readonly string[];
    env: NodeJS.ProcessEnv;
    logFile: string;
  }) {
    this.#command = start.command;
    this.#args = start.args;
    this.#env = start.env;
    this.#logFile = start.logFile;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it wrote to both of its outputs, over all its starts. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  start(): void {
    if (this.#child !== undefined) throw new TypeError('the program runs already');
    const log = openSync(this.#logFile, 'a');
    const child = spawn(this.#command, this.#args, {
      env: this.#env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    // A test that is aborted never reaches its teardown.
    const killNow = () => child.kill('SIGKILL');
    process.once('exit', killNow);
    const forget = () => {
      process.off('exit', killNow);
      if (this.#child === child) this.#child = undefined;
    };
    child.once('error', forget);
    child.once('exit', forget);
  }

  /** Asks it to end, and after `waitMsMax` ends it. */
  async stop(waitMsMax = 15_000): Promise<void> {
    await this.#end('SIGTERM', waitMsMax);
    await this.kill();
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL', 5_000);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(signal: NodeJS.Signals, waitMsMax: number): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    child.kill(signal);
    const timer = new AbortController();
    const waited = sleep(waitMsMax, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([ended, waited]);
    timer.abort();
  }
}
