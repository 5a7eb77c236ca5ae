import type { Arguments } from './arguments.ts';
import { fault } from './faults.ts';
import type { ServiceAnswer } from './service-client.ts';

/** Tells the user a line, or several. */
export type Say = (text: string) => void;

export interface Command {
  /** What follows the command's words. */
  form: string;
  purpose: string;
  /** @returns the exit status when it is not 0. */
  run: (given: Arguments, say: Say) => Promise<number | void> | number | void;
}

/** A word that the command needs. @throws CLI_USAGE_WRONG */
export function word(given: Arguments, index: number, name: string): string {
  const found = given.words[index];
  if (found === undefined) throw fault('CLI_USAGE_WRONG', { missing: name });
  return found;
}

/** What the service answered; the command has failed when it was not what was asked for. */
export function sayAnswer(say: Say, { status, body }: ServiceAnswer): number {
  sayJson(say, body);
  return status === 200 ? 0 : 1;
}

export function sayJson(say: Say, value: unknown): void {
  say(
    JSON.stringify(
      value,
      (_name, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner),
      2,
    ),
  );
}
