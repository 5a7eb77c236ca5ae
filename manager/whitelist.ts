import { statSync } from 'node:fs';
import { Fault, limits } from '#base';
import type { Clock, Log } from '#base';
import type { Certificate } from '#crypto';
import { readRegistry } from './registry-file.ts';
import type { ClientRegistry, OrganisationEntry } from './registry-file.ts';
import { certificateFingerprint, indexRegistry } from './registry-index.ts';
import type { RegisteredClient, RegistryIndex } from './registry-index.ts';

/**
 * The clients that may post requests, kept up to date with the registry file: a new client counts
 * at once, any other change within `limits.registryStaleMsMax`. A broken new file changes nothing but the log.
 */
export class Whitelist {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #certificates = new Map<string, Certificate>();
  #index: RegistryIndex;
  #version: string;
  #checkedMs: number;

  /** @throws MANAGER_REGISTRY_UNREADABLE, MANAGER_REGISTRY_INVALID */
  constructor({ file, clock, log }: { file: string; clock: Clock; log: Log }) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    // The version first: a change in between is then read twice, not missed.
    this.#version = versionOf(file);
    this.#checkedMs = clock.nowMs();
    this.#index = this.#read();
  }

  clientOfKey(keyId: string): RegisteredClient | undefined {
    return this.#find((index) => index.clientsByKeyId.get(keyId));
  }

  /** @param der the certificate as the request carries it. */
  clientOfCertificate(der: Uint8Array): RegisteredClient | undefined {
    const fingerprint = certificateFingerprint(der);
    return this.#find((index) => index.clientsByCertificate.get(fingerprint));
  }

  organisation(mspid: string): OrganisationEntry | undefined {
    return this.#find((index) => index.organisations.get(mspid));
  }

  /** Who is not found may have been admitted a moment ago: a look at the file costs microseconds. */
  #find<Entry>(lookup: (index: RegistryIndex) => Entry | undefined): Entry | undefined {
    const found = lookup(this.#current());
    if (found !== undefined) return found;
    this.#refresh();
    return lookup(this.#index);
  }

  #current(): RegistryIndex {
    const elapsedMs = this.#clock.nowMs() - this.#checkedMs;
    // A clock that was set back must not keep a revoked client in.
    if (elapsedMs < 0 || elapsedMs >= limits.registryStaleMsMax) this.#refresh();
    return this.#index;
  }

  #refresh(): void {
    this.#checkedMs = this.#clock.nowMs();
    const version = versionOf(this.#file);
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#index = this.#read();
      this.#log.info({ file: this.#file }, 'The client registry was read anew.');
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { code, detail } = error;
      this.#log.error(
        { code, ...detail },
        'The client registry is broken; the one read before stays in force.',
      );
    }
  }

  #read(): RegistryIndex {
    const registry = readRegistry(this.#file);
    const index = indexRegistry(registry, this.#certificates);
    this.#remember(registry, index);
    return index;
  }

  #remember(registry: ClientRegistry, { clientsByKeyId }: RegistryIndex): void {
    this.#certificates.clear();
    for (const { kid, certificate } of registry.clients) {
      const read = clientsByKeyId.get(kid);
      if (read !== undefined) this.#certificates.set(certificate, read.certificate);
    }
  }
}

/** Changes whenever the file is replaced or written to. */
function versionOf(file: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(file, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    // Reading it says what is wrong.
    return 'unreadable';
  }
}
