import { readFileSync } from 'node:fs';
import { SignerConfig } from '#hsm';
import type { KeyConfig } from '#hsm';
import { readConfig } from '#base';
import { fault } from './faults.ts';
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
    return { key, organisation: name, role, mspid, authorities };
  }
  throw fault('CLI_KEY_MISSING', { key });
}
