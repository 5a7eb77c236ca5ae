import { parseArgs } from 'node:util';
import { fault } from './faults.ts';

export interface Arguments {
  /** Words that are no options. */
  words: string[];
  options: Readonly<Record<string, string | boolean | undefined>>;
}

/** Every option of every command; one list, so that an unknown one is refused by name. */
const options = {
  dir: { type: 'string' },
  org: { type: 'string', default: 'org1' },
  alg: { type: 'string', default: 'ES256' },
  grant: { type: 'string' },
  client: { type: 'string' },
  contract: { type: 'string' },
  mode: { type: 'string' },
  'requests-per-bundle': { type: 'string' },
  version: { type: 'string', default: '1.0' },
  sequence: { type: 'string', default: '1' },
  policy: { type: 'string', default: 'reference:/Channel/Application/Endorsement' },
  genesis: { type: 'string' },
  certificate: { type: 'string' },
  token: { type: 'string', default: 'org1' },
  out: { type: 'string' },
  key: { type: 'string' },
  assertion: { type: 'string' },
  'valid-seconds': { type: 'string', default: '3600' },
  log: { type: 'string' },
  known: { type: 'string' },
  'known-signatures': { type: 'string' },
  anchored: { type: 'string' },
  ledger: { type: 'string' },
  'from-block': { type: 'string' },
  operators: { type: 'string' },
  witness: { type: 'string' },
  keys: { type: 'string' },
  wrapping: { type: 'string' },
  crl: { type: 'string' },
  order: { type: 'string' },
  stay: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @throws CLI_USAGE_WRONG */
export function readArguments(args: readonly string[]): Arguments {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { words: positionals, options: values };
  } catch (cause) {
    throw fault('CLI_USAGE_WRONG', { reason: (cause as Error).message }, cause);
  }
}

/** @throws CLI_USAGE_WRONG when the option was not given. */
export function textOption({ options: given }: Arguments, name: string): string {
  const value = given[name];
  if (typeof value !== 'string') throw fault('CLI_USAGE_WRONG', { missing: `--${name}` });
  return value;
}

/** The network's directory. */
export function dirOption({ options: given }: Arguments, byDefault = 'network'): string {
  const dir = given['dir'];
  return typeof dir === 'string' ? dir : byDefault;
}

/** A whole number from 1 to `max`. @throws CLI_USAGE_WRONG */
export function countOption(given: Arguments, name: string, max: number): number {
  const text = textOption(given, name);
  const count = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > max) throw fault('CLI_USAGE_WRONG', { [`--${name}`]: text, max });
  return count;
}
