import { readFileSync } from 'node:fs';
import { utf8 } from '#base';
import type { Fault } from '#base';
import { certificatePem, parsePem } from '#crypto';
import type { Certificate, PublicKey } from '#crypto';
import { SerializedIdentity, SignerKey, versionLabel } from '#formats';
import type { SignerRole } from '#formats';
import { checkIssuer, checkUnit, validityFault } from './certificate-checks.ts';
import type { KeyConfig } from './config.ts';
import { fault } from './faults.ts';
import type { KeyOrigin } from './pkcs11-keys.ts';

/** A key as its host serves it. */
export interface ServedKey {
  /** Of this version, in the token. */
  readonly label: string;
  /** Of the key, the same for all its versions. */
  readonly name: string;
  /** From 1. */
  readonly version: number;
  readonly role: SignerRole;
  readonly mspid: string;
  readonly channels: ReadonlySet<string>;
  /** PEM; undefined while the key waits for its certificate. */
  readonly certificate: Uint8Array | undefined;
  /** The same, read. */
  readonly certified: Certificate | undefined;
  /** msp.SerializedIdentity; empty without a certificate. */
  readonly identity: Uint8Array;
  readonly origin: KeyOrigin;
  /** What the certificate names; undefined without one. */
  readonly publicKey: PublicKey | undefined;
}

/**
 * @throws HSM_CONFIG_CONTRADICTORY the certificate cannot be read; HSM_CERTIFICATE_UNIT,
 *   HSM_CERTIFICATE_FOREIGN; crypto's faults for its content.
 */
export function readServedKey(config: KeyConfig): ServedKey {
  const { label, certificateFile } = config;
  if (certificateFile === undefined) {
    const missing = { certificate: undefined, certified: undefined, publicKey: undefined };
    return { ...baseOf(config, 1), ...missing, identity: new Uint8Array(0) };
  }
  return readServedVersion(config, 1, readText(certificateFile, label));
}

/**
 * As {@link readServedKey}, for a version whose certificate is on record.
 *
 * @param pem its certificate.
 */
export function readServedVersion(
  config: KeyConfig,
  version: number,
  pem: string,
  origin: KeyOrigin = 'local',
): ServedKey {
  const base = { ...baseOf(config, version), origin };
  const { label, role, mspid } = base;
  const certified = parsePem(pem);
  checkUnit(label, role, certified);
  if (config.caFile !== undefined) checkIssuer(label, certified, readText(config.caFile, label));
  // Transaction ids hash the identity, so one certificate has one PEM, whatever its file looks like.
  const certificate = utf8(certificatePem(certified.der));
  const identity = SerializedIdentity.encode({ mspid, idBytes: certificate });
  return { ...base, certificate, certified, identity, publicKey: certified.publicKey };
}

function baseOf({ label: name, role, mspid, channels }: KeyConfig, version: number) {
  const label = versionLabel(name, version);
  const origin: KeyOrigin = 'local';
  return { label, name, version, role, mspid, origin, channels: new Set(channels) };
}

/** Why the key must not sign now, whatever its token says. */
export function faultOfKey({ label, certified }: ServedKey, nowMs: number): Fault | undefined {
  return certified === undefined ? undefined : validityFault(label, certified, nowMs);
}

/** What the zone's other processes are told. @param faultCode why it cannot sign now, or empty. */
export function describeKey(key: ServedKey, faultCode: string): SignerKey {
  const { name: label, version, role, mspid, certificate, identity } = key;
  const known = { label, role, mspid, serializedIdentity: identity, faultCode, version };
  return { ...SignerKey.initial(), ...known, ...(certificate && { certificate }) };
}

function readText(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw fault('HSM_CONFIG_CONTRADICTORY', { key, file }, cause);
  }
}
