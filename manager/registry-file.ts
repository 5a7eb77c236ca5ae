import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Fault, Type, checkConfig, limits, syncDirectory } from '#base';
import type { Static } from '#base';
import { fault } from './faults.ts';
import { indexRegistry } from './registry-index.ts';

const name = { minLength: 1, maxLength: limits.nameBytes };

const Grant = Type.Object(
  {
    channel: Type.String({ ...name, description: 'Channel; * stands for any.' }),
    contract: Type.String({ ...name, description: 'Contract; * stands for any.' }),
    functions: Type.Array(Type.String(name), {
      minItems: 1,
      maxItems: limits.registryGrantsMax,
      description: 'Functions that may be called; * stands for any.',
    }),
  },
  { additionalProperties: false },
);

const entry = {
  status: Type.Union([Type.Literal('active'), Type.Literal('revoked')]),
  grants: Type.Array(Grant, {
    maxItems: limits.registryGrantsMax,
    description: 'What may be called; nothing else may.',
  }),
};

const ClientEntry = Type.Object(
  {
    kid: Type.String({ ...name, description: 'What requests name the client by.' }),
    certificate: Type.String({ description: 'PEM, issued by an organisation of the channel.' }),
    ...entry,
  },
  { additionalProperties: false },
);
export type ClientEntry = Static<typeof ClientEntry>;

const OrganisationEntry = Type.Object(
  {
    msp: Type.String({ ...name, description: 'MSP id: every valid certificate of it may ask.' }),
    ...entry,
  },
  { additionalProperties: false },
);
export type OrganisationEntry = Static<typeof OrganisationEntry>;

/** The whitelist as a file, clients.json: who may post requests, and for what. */
export const ClientRegistry = Type.Object(
  {
    clients: Type.Array(ClientEntry, { maxItems: limits.registryClientsMax }),
    organisations: Type.Array(OrganisationEntry, { maxItems: limits.registryClientsMax }),
  },
  { additionalProperties: false },
);
export type ClientRegistry = Static<typeof ClientRegistry>;

/** @throws MANAGER_REGISTRY_UNREADABLE, MANAGER_REGISTRY_INVALID */
export function readRegistry(file: string): ClientRegistry {
  let parsed: unknown;
  try {
    const { size } = statSync(file);
    if (size > limits.registryBytesMax) throw new RangeError(`${size} bytes`);
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw fault('MANAGER_REGISTRY_UNREADABLE', { file }, cause);
  }
  return checkRegistry(parsed, file);
}

/**
 * Changes the registry so that a reader, or a crash, meets the old one or the new one whole.
 * A registry that does not exist yet counts as empty.
 *
 * @param change gets a copy that it may alter, and answers what shall stand.
 * @returns what stands now.
 * @throws MANAGER_REGISTRY_LOCKED another change is under way, or died: `file` is in its way.
 * @throws MANAGER_REGISTRY_UNREADABLE, MANAGER_REGISTRY_INVALID the old or the new one.
 */
export function updateRegistry(
  file: string,
  change: (registry: ClientRegistry) => ClientRegistry,
): ClientRegistry {
  // The new file is the lock as well: two writers would each lose the other's change.
  const newFile = `${file}.new`;
  const descriptor = openNew(newFile);
  try {
    const before = exists(file) ? readRegistry(file) : { clients: [], organisations: [] };
    const after = checkRegistry(change(before), file);
    indexRegistry(after);
    writeFileSync(descriptor, `${JSON.stringify(after, null, 2)}\n`);
    fsyncSync(descriptor);
    renameSync(newFile, file);
    syncDirectory(dirname(file));
    return after;
  } catch (error) {
    rmSync(newFile, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function checkRegistry(value: unknown, file: string): ClientRegistry {
  try {
    return checkConfig(ClientRegistry, value, file);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('MANAGER_REGISTRY_INVALID', cause.detail, cause);
  }
}

function openNew(newFile: string): number {
  try {
    return openSync(newFile, 'wx', 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw fault('MANAGER_REGISTRY_LOCKED', { file: newFile }, cause);
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
