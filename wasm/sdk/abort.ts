import { fail } from './outcome';

/** Where the language's own `abort`, `throw` and `assert` lead: a failure with their message. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  fail(message === null ? 'The contract aborted.' : message);
}
