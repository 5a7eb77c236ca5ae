import { toHex } from '#base';
import { parsePem, sha256 } from '#crypto';
import type { Certificate } from '#crypto';
import { fault } from './faults.ts';
import type { ClientEntry, ClientRegistry, OrganisationEntry } from './registry-file.ts';

/** A client of the registry, its certificate read. */
export interface RegisteredClient extends Omit<ClientEntry, 'certificate'> {
  certificate: Certificate;
}

/** The registry, as it is asked. */
export interface RegistryIndex {
  clientsByKeyId: Map<string, RegisteredClient>;
  /** By {@link certificateFingerprint}. */
  clientsByCertificate: Map<string, RegisteredClient>;
  organisations: Map<string, OrganisationEntry>;
}

/**
 * Reads every certificate of a registry and refuses ambiguous entries.
 *
 * @param certificates those read before, by their PEM: reading one costs as much as a signature.
 * @throws MANAGER_REGISTRY_INVALID
 */
export function indexRegistry(
  registry: ClientRegistry,
  certificates: ReadonlyMap<string, Certificate> = new Map(),
): RegistryIndex {
  const clientsByKeyId = new Map<string, RegisteredClient>();
  const clientsByCertificate = new Map<string, RegisteredClient>();
  for (const entry of registry.clients) {
    const certificate = certificates.get(entry.certificate) ?? certificateOf(entry);
    const client = { ...entry, certificate };
    addOnce(clientsByKeyId, entry.kid, client, `kid ${entry.kid}`);
    const fingerprint = certificateFingerprint(certificate.der);
    addOnce(clientsByCertificate, fingerprint, client, `certificate of ${entry.kid}`);
  }
  const organisations = new Map<string, OrganisationEntry>();
  for (const entry of registry.organisations) {
    addOnce(organisations, entry.msp, entry, `organisation ${entry.msp}`);
  }
  return { clientsByKeyId, clientsByCertificate, organisations };
}

/** SHA-256 of the certificate's DER, lower-case hex. */
export function certificateFingerprint(der: Uint8Array): string {
  return toHex(sha256(der));
}

function certificateOf({ kid, certificate }: ClientEntry): Certificate {
  try {
    return parsePem(certificate);
  } catch (cause) {
    throw fault('MANAGER_REGISTRY_INVALID', { key: `certificate of ${kid}` }, cause);
  }
}

function addOnce<Value>(map: Map<string, Value>, key: string, value: Value, what: string): void {
  if (map.has(key)) throw fault('MANAGER_REGISTRY_INVALID', { key: what, reason: 'twice' });
  map.set(key, value);
}
