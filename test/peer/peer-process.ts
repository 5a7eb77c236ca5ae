import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PeerConfig } from '#peer';

/** A peer in a process of its own. */
export class PeerProcess {
  readonly #child;
  readonly #portsFile: string;
  readonly #exited: Promise<unknown>;
  /** Everything it wrote. */
  output = '';

  /** @param configFile what `config` was written to. */
  constructor(configFile: string, config: PeerConfig) {
    this.#portsFile = config.portsFile ?? '';
    rmSync(this.#portsFile, { force: true });
    const main = fileURLToPath(new URL('../../peer/main.ts', import.meta.url));
    this.#child = spawn(process.execPath, [main, configFile], {
      // Nothing of the test's environment may be needed.
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (text: Buffer) => (this.output += text.toString()));
    }
    this.#exited = once(this.#child, 'close');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** How often it wrote the text. */
  count(text: string): number {
    return this.output.split(text).length - 1;
  }

  /** The port it serves HTTP at, once it does. */
  async port(): Promise<number> {
    while (!existsSync(this.#portsFile)) {
      if (this.#child.exitCode !== null) throw new Error(`the peer ended: ${this.output}`);
      await wait(5);
    }
    return (JSON.parse(readFileSync(this.#portsFile, 'utf8')) as { http: number }).http;
  }

  /** @returns the exit status, once it has ended. */
  async exitCode(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** Ends it with a signal and waits for that. @returns the exit status; null when killed. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.#child.kill(signal);
    return this.exitCode();
  }
}
