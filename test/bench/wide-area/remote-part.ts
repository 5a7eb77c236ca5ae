import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}

/** A program of this folder that runs in a domain and answers questions, one after the other. */
export class RemotePart implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #questions = 0;

  /** @param program a file of this folder. @param start becomes its only argument, as JSON. */
  constructor(prefix: readonly string[], program: string, start: unknown) {
    const node = ['--no-deprecation', join(import.meta.dirname, program), JSON.stringify(start)];
    const [command = '', ...args] = [...prefix, process.execPath, ...node];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#child.once('exit', (code) => {
      const error = `${program} ended with ${code}`;
      for (const [id, settle] of this.#waiting) settle({ id, error });
      this.#waiting.clear();
    });
  }

  async ask<T>(question: unknown): Promise<T> {
    this.#questions += 1;
    const id = this.#questions;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, question }, (error) => {
        if (error !== null) resolve({ id, error: error.message });
      });
    });
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => {
      this.#child.once('exit', resolve);
    });
    this.#child.kill('SIGKILL');
    await ended;
  }
}

type Part = (question: unknown) => Promise<unknown>;

/** The other side: answers in the order of the questions. */
export function answerQuestions(begin: (start: unknown) => Promise<Part>): void {
  const part = begin(JSON.parse(process.argv[2] ?? 'null'));
  let turn: Promise<unknown> = part;
  process.on('message', ({ id, question }: { id: number; question: unknown }) => {
    turn = turn.then(async () => {
      try {
        process.send?.({ id, value: await (await part)(question) });
      } catch (error) {
        process.send?.({ id, error: String(error) });
      }
    });
  });
  process.once('disconnect', () => process.exit(0));
}

/** Milliseconds on a clock that all processes of the machine share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
