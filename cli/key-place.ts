import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { PublicKey } from '#crypto';
import { SignerConfig } from '#hsm';
import type { KeyConfig } from '#hsm';
import { readConfig } from '#base';
import { fault } from './faults.ts';
import type { NetworkLayout } from './network-layout.ts';
import type { OpenNetwork } from './network-open.ts';

/** Where a key of the network is, and what it is for. */
export interface KeyPlace {
  /** The key's name, without a version. */
  readonly key: string;
  /** The organisation or zone whose token holds it. */
  readonly organisation: string;
  readonly role: KeyConfig['role'];
  readonly mspid: string;
  /** PEM of the CAs that may certify it. */
  readonly authorities: string;
  /** Fingerprints of the organisation's keys that were revoked. */
  readonly revokedKeys: ReadonlySet<string>;
}

/** A key's later versions carry its name and a number. */
const versionForm = /~[1-9][0-9]*$/;

/** @param label a key's name, or a version of it. @throws CLI_KEY_MISSING */
export function keyPlaceOf({ layout, spec }: OpenNetwork, label: string): KeyPlace {
  const key = label.replace(versionForm, '');
  for (const { name } of [...spec.organisations, spec.zone]) {
    const { keys } = readConfig(SignerConfig, layout.config(`signer-${name}`));
    const found = keys.find((one) => one.label === key);
    if (found === undefined) continue;
    const { role, mspid } = found;
    const authorities = readFileSync(found.caFile ?? layout.caCertificate(name), 'utf8');
    const revokedKeys = revokedKeysOf(layout, name);
    return { key, organisation: name, role, mspid, authorities, revokedKeys };
  }
  throw fault('CLI_KEY_MISSING', { key });
}

/** From now on nobody certifies the key. */
export function markRevoked(layout: NetworkLayout, organisation: string, key: PublicKey): void {
  const all = revokedKeysOf(layout, organisation).add(key.fingerprint);
  const file = layout.revokedKeys(organisation);
  writeFileSync(`${file}.new`, `${JSON.stringify([...all], undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function revokedKeysOf(layout: NetworkLayout, organisation: string): Set<string> {
  const file = layout.revokedKeys(organisation);
  return new Set(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []);
}
