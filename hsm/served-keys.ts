import { readFileSync } from 'node:fs';
import { utf8 } from '#base';
import { certificatePem, parsePem } from '#crypto';
import type { PublicKey } from '#crypto';
import { SerializedIdentity, SignerKey } from '#formats';
import type { SignerRole } from '#formats';
import type { KeyConfig } from './config.ts';
import { fault } from './faults.ts';

/** A key as its host serves it. */
export interface ServedKey {
  readonly label: string;
  readonly role: SignerRole;
  readonly mspid: string;
  readonly channels: ReadonlySet<string>;
  /** PEM; undefined while the key waits for its certificate. */
  readonly certificate: Uint8Array | undefined;
  /** msp.SerializedIdentity; empty without a certificate. */
  readonly identity: Uint8Array;
  /** What the certificate names; undefined without one. */
  readonly publicKey: PublicKey | undefined;
}

/** @throws HSM_CONFIG_CONTRADICTORY the certificate cannot be read; crypto's faults for its content. */
export function readServedKey(config: KeyConfig): ServedKey {
  const { label, role, mspid } = config;
  const base = { label, role, mspid, channels: new Set(config.channels) };
  if (config.certificateFile === undefined) {
    return { ...base, certificate: undefined, identity: new Uint8Array(0), publicKey: undefined };
  }
  const parsed = parsePem(readText(config.certificateFile, label));
  // Transaction ids hash the identity, so one certificate has one PEM, whatever its file looks like.
  const certificate = utf8(certificatePem(parsed.der));
  const identity = SerializedIdentity.encode({ mspid, idBytes: certificate });
  return { ...base, certificate, identity, publicKey: parsed.publicKey };
}

/** What the zone's other processes are told. */
export function describeKey({ label, role, mspid, certificate, identity }: ServedKey): SignerKey {
  const known = { label, role, mspid, serializedIdentity: identity };
  return { ...SignerKey.initial(), ...known, ...(certificate && { certificate }) };
}

function readText(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw fault('HSM_CONFIG_CONTRADICTORY', { key, file }, cause);
  }
}
