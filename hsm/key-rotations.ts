import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fromBase64, fromHex, latin1Of, limits, toBase64, utf8 } from '#base';
import type { Clock } from '#base';
import { buildCsr, certificatePem, parsePem } from '#crypto';
import type { PublicKey } from '#crypto';
import { isInToken, nextKeyState } from '#custody';
import type { KeyState, RecordStep } from '#custody';
import {
  KeyRotation,
  RotationStatement,
  isKeyName,
  rotationContent,
  verifyRotation,
  versionLabel,
} from '#formats';
import type { RetiredKey } from '#formats';
import { checkKeyCertificate } from './certificate-checks.ts';
import type { KeyConfig } from './config.ts';
import { fault } from './faults.ts';
import { importVersion, wrappingLabel } from './key-imports.ts';
import type { BroughtKey } from './key-imports.ts';
import type { KeyVersion } from './key-record.ts';
import { originOf } from './key-ring.ts';
import type { KeyRing } from './key-ring.ts';
import type { TokenKeys } from './token-keys.ts';
import type { TokenSigner } from './token-signer.ts';

export interface KeyRotationsParts {
  readonly ring: KeyRing;
  readonly tokenKeys: TokenKeys;
  readonly signer: TokenSigner;
  readonly clock: Clock;
}

const drainLookMs = 50;

/**
 * Puts new versions of keys in the place of old ones: made in the token, certified, and in force beside
 * the old one until the ledger has the rotation's record; then the old one ends and is destroyed.
 */
export class KeyRotations {
  readonly #parts: KeyRotationsParts;
  /** Steps on one host come one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #recordStep: RecordStep = () => {};

  constructor(parts: KeyRotationsParts) {
    this.#parts = parts;
  }

  /** @param record hears of what follows from an order without being asked for by one. */
  recordSteps(record: RecordStep): void {
    this.#recordStep = record;
  }

  /**
   * Has the token make the next version, or goes on with one that was begun.
   *
   * @param order SHA-256 of the operators' order, hex.
   * @param brought the next version itself, from outside: {@link importVersion} says what may happen.
   * @returns its label and number, and its certificate request, signed by itself.
   * @throws HSM_KEY_UNKNOWN, HSM_KEY_VERSIONLESS, HSM_ROTATION_UNDERWAY, HSM_RECORD_READONLY, HSM_TOKEN_…
   */
  begin(name: string, order: string, brought?: BroughtKey) {
    return this.#alone(async () => {
      const config = this.#rotatable(name);
      const { ring, clock } = this.#parts;
      if (brought !== undefined) await importVersion(this.#parts, name, { order, brought });
      const next = ring.waiting(name) ?? ring.next(name, { order, sinceMs: clock.nowMs() });
      const { version } = next;
      const publicKey = await this.#bring(name, next);
      const csr = await this.#request(config, version, publicKey);
      return { label: versionLabel(name, version), version, csr };
    });
  }

  /** The public half of what a key is wrapped under that is to be brought as the next version. */
  wrappingKey(name: string): Promise<PublicKey> {
    return this.#alone(() => {
      this.#rotatable(name);
      return this.#parts.tokenKeys.wrappingKey(wrappingLabel(name));
    });
  }

  /**
   * Puts the version that waits for it in force beside the one before.
   *
   * @param pem empty: only an earlier answer is wanted again.
   * @returns countersign.KeyRotation bytes for the ledger.
   * @throws HSM_ROTATION_ABSENT, HSM_KEY_MISMATCH, HSM_CERTIFICATE_…, FORMATS_ROTATION_INVALID
   */
  certify(name: string, pem: Uint8Array): Promise<Uint8Array> {
    return this.#alone(async () => {
      const config = this.#rotatable(name);
      const versions = this.#parts.ring.versionsOf(name);
      const next = versions.at(-1) as KeyVersion;
      const old = versions.at(-2);
      const isWaiting = next.state === 'pre-activation' && pem.length > 0;
      if (old === undefined || !isInToken(old.state)) throw absent(name);
      if (!isWaiting) {
        const rotation = fromBase64(next.rotation ?? '');
        if (rotation === undefined || rotation.length === 0) throw absent(name);
        return rotation;
      }
      const certificate = certificatePem(parsePem(latin1Of(pem)).der);
      const publicKey = await this.#bring(name, next);
      this.#checkCertificate(config, certificate, publicKey);
      const record = await this.#statement(config, old, next, certificate);
      const rotation = toBase64(record);
      const sinceMs = this.#parts.clock.nowMs();
      this.#note('key.activated', name, next.version, { order: next.order ?? '' });
      this.#parts.ring.change(name, next.version, 'active', { certificate, rotation, sinceMs });
      return record;
    });
  }

  /**
   * Ends the versions before the newest one and destroys them. The newest one must be in force.
   *
   * @param check throws unless the record of the newest one is on the ledger.
   * @throws HSM_ROTATION_ABSENT, HSM_KEY_UNDESTROYED, HSM_RECORD_READONLY, CUSTODY_AUDIT_…
   */
  retire(name: string, check: (record: Uint8Array) => void): Promise<RetiredKey[]> {
    return this.#alone(async () => {
      const versions = this.#parts.ring.versionsOf(name);
      const newest = versions.at(-1);
      const record = fromBase64(newest?.rotation ?? '');
      if (newest?.state !== 'active' || record === undefined) throw absent(name);
      check(record);
      const retired: RetiredKey[] = [];
      for (const { version, state } of versions.slice(0, -1)) {
        if (isInToken(state)) retired.push(await this.#end(name, version));
      }
      return retired;
    });
  }

  /** Goes on with the destructions that a crash cut off. */
  async resume(): Promise<void> {
    for (const name of this.#parts.ring.names) {
      for (const { version, state } of this.#parts.ring.versionsOf(name)) {
        if (state === 'deactivated') await this.#alone(() => this.#end(name, version));
      }
    }
  }

  /** Has a version sign no more, from now on. @throws HSM_KEY_UNKNOWN, CUSTODY_KEY_STATE_DENIED */
  compromise(name: string): Promise<string> {
    return this.#alone(async () => {
      this.#parts.ring.configOf(name);
      const { version } = this.#parts.ring.versionsOf(name).at(-1) as KeyVersion;
      const sinceMs = this.#parts.clock.nowMs();
      this.#parts.ring.change(name, version, 'compromised', { sinceMs });
      return versionLabel(name, version);
    });
  }

  /** Destroys a compromised version. One that signed to the end is destroyed by the rotation itself. */
  destroy(name: string, version: number): Promise<RetiredKey> {
    return this.#alone(async () => {
      this.#parts.ring.configOf(name);
      const found = this.#parts.ring.versionsOf(name).find((one) => one.version === version);
      if (found === undefined) throw fault('HSM_KEY_UNKNOWN', { key: versionLabel(name, version) });
      if (found.state !== 'compromised') nextKeyState(found.state, 'destroyed-compromised');
      return this.#end(name, version);
    });
  }

  #alone<Value>(step: () => Promise<Value>): Promise<Value> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => {});
    return done;
  }

  #rotatable(name: string): KeyConfig {
    const config = this.#parts.ring.configOf(name);
    if (!isKeyName(name)) throw fault('HSM_KEY_VERSIONLESS', { key: name });
    return config;
  }

  async #bring(name: string, one: KeyVersion, mayMake = true): Promise<PublicKey> {
    const label = versionLabel(name, one.version);
    const origin = originOf(one);
    const publicKey = await this.#parts.tokenKeys.bring(label, { mayMake, origin });
    const isOther = one.imported !== undefined && one.imported !== publicKey.fingerprint;
    if (isOther) throw fault('HSM_KEY_MISMATCH', { key: label });
    return publicKey;
  }

  /** By the name that the key has had, whatever its authority put into that. */
  #request({ label: key }: KeyConfig, version: number, publicKey: PublicKey) {
    const { ring } = this.#parts;
    const previous = ring.versionsOf(key).find((one) => one.version === version - 1) as KeyVersion;
    const { subject } = parsePem(latin1Of(ring.certificateOf(key, previous)));
    return buildCsr({ subject, publicKeySpki: publicKey.spki }, (content) =>
      this.#parts.signer.signOne(versionLabel(key, version), 'request', content),
    );
  }

  #checkCertificate({ label: key, role, caFile }: KeyConfig, pem: string, publicKey: PublicKey) {
    const nowMs = this.#parts.clock.nowMs();
    const authorities = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
    checkKeyCertificate(parsePem(pem), { key, role, publicKey, authorities }, nowMs);
  }

  /** Both keys say so: nobody can put a key of another's making in the place of one. */
  async #statement(
    { label: key, role, mspid }: KeyConfig,
    old: KeyVersion,
    next: KeyVersion,
    newPem: string,
  ): Promise<Uint8Array> {
    const oldLabel = versionLabel(key, old.version);
    await this.#bring(key, old, false);
    const statement = RotationStatement.encode({
      key,
      role,
      mspid,
      version: next.version,
      oldCertificate: this.#parts.ring.certificateOf(key, old),
      newCertificate: utf8(newPem),
      order: fromHex(next.order ?? '') ?? new Uint8Array(0),
    });
    const content = rotationContent(statement);
    const record = KeyRotation.encode({
      statement,
      oldSignature: await this.#parts.signer.signOne(oldLabel, 'rotation', content),
      newSignature: await this.#parts.signer.signOne(
        versionLabel(key, next.version),
        'rotation',
        content,
      ),
    });
    verifyRotation(record);
    return record;
  }

  /** The record says first what is done then, so that a crash cannot leave a key that signs again. */
  async #end(name: string, version: number): Promise<RetiredKey> {
    const { ring, tokenKeys, signer, clock } = this.#parts;
    const label = versionLabel(name, version);
    const stateOf = () => ring.versionsOf(name)[version - 1]?.state as KeyState;
    if (stateOf() === 'active') {
      await this.#drain(label);
      ring.change(name, version, 'deactivated', { sinceMs: clock.nowMs() });
    }
    await signer.drop(label);
    const fingerprint = tokenKeys.fingerprintOf(label) ?? this.#certifiedFingerprint(name, version);
    const signatures = ring.signaturesOf(label);
    const facts = { fingerprint, signatures: String(signatures) };
    this.#note('key.destroying', name, version, facts);
    await tokenKeys.destroy(label);
    const end = stateOf() === 'compromised' ? 'destroyed-compromised' : 'destroyed';
    ring.change(name, version, end, { fingerprint, sinceMs: clock.nowMs() });
    this.#note('key.destroyed', name, version, facts);
    return { label, fingerprint, signatures: BigInt(signatures) };
  }

  /** Of a version that no process knows any more: an earlier try, or an earlier host, forgot it. */
  #certifiedFingerprint(name: string, version: number): string {
    const { ring } = this.#parts;
    const pem = ring.certificateOf(name, ring.versionsOf(name)[version - 1] as KeyVersion);
    return pem.length === 0 ? '' : parsePem(latin1Of(pem)).publicKey.fingerprint;
  }

  /** Who asks for the old version later than this is told to ask for the new one. */
  async #drain(label: string): Promise<void> {
    const { ring } = this.#parts;
    const untilMs = performance.now() + limits.keyDrainWaitMsMax;
    while (ring.quietMs(label) < limits.keyQuietMs && performance.now() < untilMs) {
      await wait(drainLookMs);
    }
  }

  #note(event: string, key: string, version: number, facts: Readonly<Record<string, string>>) {
    this.#recordStep(event, { key, version: String(version), ...facts });
  }
}

function absent(key: string) {
  return fault('HSM_ROTATION_ABSENT', { key });
}
