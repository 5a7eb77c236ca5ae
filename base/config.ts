import { readFileSync } from 'node:fs';
import { declareFaults } from './faults.ts';
import { schemaCheck } from './schema-check.ts';
import type { Schema, Static } from './schema.ts';

const fault = declareFaults({
  BASE_CONFIG_UNREADABLE: ['malformed', 'The configuration file cannot be read.'],
  BASE_CONFIG_INVALID: ['malformed', 'The configuration does not fit its schema.'],
  BASE_SECRET_UNREADABLE: ['malformed', 'The secret file cannot be read.'],
});

/**
 * Reads one JSON configuration file and believes nothing in it until the schema does.
 *
 * @throws BASE_CONFIG_UNREADABLE, BASE_CONFIG_INVALID (`key` names the offending place).
 */
export function readConfig<S extends Schema>(schema: S, file: string): Static<S> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw fault('BASE_CONFIG_UNREADABLE', { file }, cause);
  }
  return checkConfig(schema, parsed, file);
}

/** Checks an already parsed value; see {@link readConfig}. */
export function checkConfig<S extends Schema>(
  schema: S,
  value: unknown,
  file = '(inline)',
): Static<S> {
  return schemaCheck(schema, { fillsDefaults: true })(value, ({ place, problem }) =>
    fault('BASE_CONFIG_INVALID', { file, key: place, reason: problem }),
  );
}

/** Reads a PIN or key from its file, without the trailing newline an editor leaves. */
export function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw fault('BASE_SECRET_UNREADABLE', { file }, cause);
  }
}
