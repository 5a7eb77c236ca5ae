import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { TestScope } from '../support/temporary-dir.ts';

/** A guard in a process of its own. */
export class Racer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(t: TestScope, dir: string) {
    const program = join(import.meta.dirname, 'guard-racer.ts');
    this.#child = spawn(process.execPath, [program, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: Interface = createInterface({ input: this.#child.stdout! });
    this.#lines = lines[Symbol.asyncIterator]();
    // One that was refused has ended: it says so by its line, and takes no other.
    this.#child.stdin!.on('error', () => {});
    t.teardown(() => this.#child.kill('SIGKILL'));
  }

  async heard(): Promise<string> {
    const { value, done } = await this.#lines.next();
    return done === true ? 'ended' : value;
  }

  ask(number: bigint, previous = ''): Promise<string> {
    this.#child.stdin!.write(`${number} ${previous}\n`);
    return this.heard();
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  async end(): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
    this.#child.stdin!.end();
    await ended;
  }
}
