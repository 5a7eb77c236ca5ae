import { readFileSync } from 'node:fs';
import { Type, replaceFile, schemaCheck, utf8 } from '#base';
import type { Static } from '#base';
import { keyStates } from '#custody';
import { parseStrictJson } from '#formats';
import { fault } from './faults.ts';

/** What is known of one version of a key. */
const KeyVersion = Type.Object(
  {
    version: Type.Integer({ minimum: 1, maximum: 99_999 }),
    state: Type.Enum([...keyStates]),
    /** PEM; absent for a first version, whose certificate the configuration names. */
    certificate: Type.Optional(Type.String()),
    /** SHA-256 of the order it was made by, hex. */
    order: Type.Optional(Type.String({ pattern: '^([0-9a-f]{64})?$' })),
    /** Brought from outside: SHA-256 of its SubjectPublicKeyInfo, hex, as the operator policy named it. */
    imported: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    /** Its countersign.KeyRotation, base64. */
    rotation: Type.Optional(Type.String()),
    /** SHA-256 of its SubjectPublicKeyInfo, hex, once its state has ended. */
    fingerprint: Type.Optional(Type.String()),
    /** At least so many; those since the last writing are not on record. */
    signatures: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    /** When it came into its state, milliseconds since the Unix epoch. */
    sinceMs: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type KeyVersion = Static<typeof KeyVersion>;

const KeysDocument = Type.Object(
  {
    typ: Type.Literal('countersign-keys/1'),
    keys: Type.Record(Type.String(), Type.Array(KeyVersion, { minItems: 1 })),
  },
  { additionalProperties: false },
);
const checkKeys = schemaCheck(KeysDocument, { fillsDefaults: false });

/**
 * The versions of a host's keys and their states, in a file of their own that is written whole: what
 * it says is what the host does, before and after any crash.
 */
export class KeyRecord {
  readonly #path: string;
  readonly #keys: Map<string, KeyVersion[]>;

  /** @throws HSM_RECORD_CORRUPT a host must not guess which of its keys may sign. */
  constructor(path: string) {
    this.#path = path;
    this.#keys = readKeys(path);
  }

  /** Oldest first; the first version alone when nothing is on record. */
  versionsOf(name: string): readonly KeyVersion[] {
    return this.#keys.get(name) ?? [{ version: 1, state: 'active', signatures: 0, sinceMs: 0 }];
  }

  /**
   * Puts the versions of keys on the disk; they count from then on.
   *
   * @throws HSM_RECORD_READONLY nothing has changed.
   */
  write(changes: ReadonlyMap<string, readonly KeyVersion[]>): void {
    const keys = new Map([...this.#keys, ...changes]);
    const document = { typ: 'countersign-keys/1', keys: Object.fromEntries(keys) };
    try {
      replaceFile(this.#path, utf8(`${JSON.stringify(document, undefined, 1)}\n`));
    } catch (cause) {
      throw fault('HSM_RECORD_READONLY', { file: this.#path }, cause);
    }
    for (const [name, versions] of changes) this.#keys.set(name, [...versions]);
  }
}

function readKeys(path: string): Map<string, KeyVersion[]> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw fault('HSM_RECORD_CORRUPT', { file: path }, cause);
  }
  const corrupt = (reason: string, cause?: unknown) =>
    fault('HSM_RECORD_CORRUPT', { file: path, reason }, cause);
  const { keys } = checkKeys(parseStrictJson(bytes, corrupt), ({ place, problem }) =>
    corrupt(`${place} ${problem}`),
  );
  for (const [name, versions] of Object.entries(keys)) {
    const isCounted = versions.every(({ version }, index) => version === index + 1);
    if (!isCounted) throw corrupt(`versions of ${name}`);
  }
  return new Map(Object.entries(keys));
}
