import { isInToken, nextKeyState } from '#custody';
import type { KeyState } from '#custody';
import { versionLabel } from '#formats';
import type { KeyConfig } from './config.ts';
import { fault } from './faults.ts';
import type { KeyRecord, KeyVersion } from './key-record.ts';
import type { KeyOrigin } from './pkcs11-keys.ts';
import { readServedKey, readServedVersion } from './served-keys.ts';
import type { ServedKey } from './served-keys.ts';

/** The keys of a host by name and version, and which of them sign. */
export class KeyRing {
  /** Those that sign, by the label of their version. */
  readonly served = new Map<string, ServedKey>();
  readonly #configs: ReadonlyMap<string, KeyConfig>;
  readonly #record: KeyRecord;
  /** When those that are to end signed last, in milliseconds of the process's clock. */
  readonly #watched = new Map<string, number>();
  /** Signatures on record when the host started. */
  readonly #signaturesBefore = new Map<string, number>();
  readonly #signaturesSince: (label: string) => number;

  /**
   * @param signaturesSince how many signatures a label has made since the host started.
   * @throws HSM_CONFIG_CONTRADICTORY, HSM_CERTIFICATE_…
   */
  constructor(
    configs: readonly KeyConfig[],
    record: KeyRecord,
    signaturesSince: (label: string) => number,
  ) {
    this.#configs = new Map(configs.map((config) => [config.label, config]));
    this.#record = record;
    this.#signaturesSince = signaturesSince;
    for (const config of configs) {
      for (const version of record.versionsOf(config.label)) {
        const label = versionLabel(config.label, version.version);
        this.#signaturesBefore.set(label, version.signatures);
        if (version.state === 'active') this.served.set(label, readServed(config, version));
      }
    }
  }

  /** @throws HSM_KEY_UNKNOWN */
  configOf(name: string): KeyConfig {
    const config = this.#configs.get(name);
    if (config === undefined) throw fault('HSM_KEY_UNKNOWN', { key: name });
    return config;
  }

  get names(): readonly string[] {
    return [...this.#configs.keys()];
  }

  /** Oldest first. */
  versionsOf(name: string): readonly KeyVersion[] {
    return this.#record.versionsOf(name);
  }

  /** @throws HSM_KEY_NOT_ACTIVE a version that does not sign; HSM_KEY_UNKNOWN */
  servedKey(label: string): ServedKey {
    const key = this.served.get(label);
    if (key === undefined) {
      if (this.#isVersion(label)) throw fault('HSM_KEY_NOT_ACTIVE', { key: label });
      throw fault('HSM_KEY_UNKNOWN', { key: label });
    }
    if (this.#watched.has(label)) this.#watched.set(label, performance.now());
    return key;
  }

  /** Of each key the oldest version that signs: the ledger may not know of the next one yet. */
  oldestServed(): ServedKey[] {
    return this.names.flatMap((name) => {
      const versions = this.versionsOf(name).map(({ version }) => versionLabel(name, version));
      const oldest = versions.find((label) => this.served.has(label));
      return oldest === undefined ? [] : [this.served.get(oldest) as ServedKey];
    });
  }

  /** Versions that sign no more and are in the token still. */
  get undestroyedCount(): number {
    const ended = this.names.flatMap((name) =>
      this.versionsOf(name).filter(({ state }) => isInToken(state) && hasEnded(state)),
    );
    return ended.length;
  }

  /** PEM of a version's certificate, as its identity has it. */
  certificateOf(name: string, version: KeyVersion): Uint8Array {
    return readServed(this.configOf(name), version).certificate ?? new Uint8Array(0);
  }

  /** How long a version has not signed, from the first time it is asked on. */
  quietMs(label: string): number {
    const nowMs = performance.now();
    const sinceMs = this.#watched.get(label) ?? nowMs;
    this.#watched.set(label, sinceMs);
    return nowMs - sinceMs;
  }

  /** Signatures of a version since it was made, at least. */
  signaturesOf(label: string): number {
    return (this.#signaturesBefore.get(label) ?? 0) + this.#signaturesSince(label);
  }

  /** A version that is not in force yet. */
  waiting(name: string): KeyVersion | undefined {
    const newest = this.versionsOf(name).at(-1);
    return newest?.state === 'pre-activation' ? newest : undefined;
  }

  /**
   * Puts a version that is to take a key's place on record.
   *
   * @throws HSM_ROTATION_UNDERWAY another one waits, or an earlier one is not destroyed;
   *   HSM_KEY_VERSIONLESS, HSM_RECORD_READONLY
   */
  next(name: string, made: Pick<KeyVersion, 'order' | 'imported' | 'sinceMs'>): KeyVersion {
    const versions = this.versionsOf(name);
    const newest = versions.at(-1) as KeyVersion;
    // Only the key itself can say which one takes its place.
    if (!isInToken(newest.state)) throw fault('HSM_KEY_VERSIONLESS', { key: name });
    const isUnderWay = versions.slice(0, -1).some(({ state }) => isInToken(state));
    if (isUnderWay || newest.state === 'pre-activation') {
      throw fault('HSM_ROTATION_UNDERWAY', { key: name, version: newest.version });
    }
    const version = newest.version + 1;
    const next: KeyVersion = { version, state: 'pre-activation', signatures: 0, ...made };
    this.#write(name, [...versions, next]);
    return next;
  }

  /** Takes back a version that never was in force. @throws HSM_RECORD_READONLY */
  takeBack(name: string, version: number): void {
    const left = this.versionsOf(name).filter((one) => one.version !== version);
    this.#write(name, left);
  }

  /**
   * Brings a version into another state, on the disk first.
   *
   * @throws CUSTODY_KEY_STATE_DENIED, HSM_RECORD_READONLY
   */
  change(name: string, version: number, to: KeyState, facts: Partial<KeyVersion>): void {
    const versions = this.versionsOf(name).map((one) => {
      if (one.version !== version) return one;
      return { ...one, ...facts, state: nextKeyState(one.state, to) };
    });
    const config = this.configOf(name);
    const changed = versions.find((one) => one.version === version) as KeyVersion;
    const label = versionLabel(name, version);
    const served = to === 'active' ? readServed(config, changed) : undefined;
    // One that is to sign no more must not sign while the disk is asked, whatever it answers.
    this.served.delete(label);
    this.#write(name, versions);
    if (served !== undefined) this.served.set(label, served);
    else this.#watched.delete(label);
  }

  /** Puts the usage counters on record. @throws HSM_RECORD_READONLY */
  saveUsage(): void {
    const used = this.names.filter((name) =>
      this.versionsOf(name).some((one) => this.#counted(name, one).signatures > one.signatures),
    );
    const counted = (name: string) => this.versionsOf(name).map((one) => this.#counted(name, one));
    if (used.length > 0) this.#record.write(new Map(used.map((name) => [name, counted(name)])));
  }

  #counted(name: string, one: KeyVersion): KeyVersion {
    return { ...one, signatures: this.signaturesOf(versionLabel(name, one.version)) };
  }

  #write(name: string, versions: readonly KeyVersion[]): void {
    this.#record.write(new Map([[name, versions.map((one) => this.#counted(name, one))]]));
  }

  #isVersion(label: string): boolean {
    return this.names.some((name) =>
      this.versionsOf(name).some(({ version }) => versionLabel(name, version) === label),
    );
  }
}

/** Where a version was made. */
export function originOf({ imported }: KeyVersion): KeyOrigin {
  return imported === undefined ? 'local' : 'imported';
}

function hasEnded(state: KeyState): boolean {
  return state !== 'pre-activation' && state !== 'active';
}

function readServed(config: KeyConfig, one: KeyVersion): ServedKey {
  const { version, certificate } = one;
  if (certificate === undefined) return readServedKey(config);
  return readServedVersion(config, version, certificate, originOf(one));
}
