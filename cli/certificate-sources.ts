import { existsSync } from 'node:fs';
import { Fault, Type, limits, readConfig, readSecret, systemClock } from '#base';
import type { Static } from '#base';
import { certificatePem, parseCsr, parsePem, pemBlock } from '#crypto';
import type { Certificate, CertificateRequest } from '#crypto';
import { checkKeyCertificate, unitOfRole } from '#hsm';
import { DevelopmentCa } from './development-ca.ts';
import { FabricCa } from './fabric-ca.ts';
import type { CaCredential } from './fabric-ca.ts';
import { fault } from './faults.ts';
import type { KeyPlace } from './key-place.ts';
import type { NetworkLayout } from './network-layout.ts';

const path = (description: string) => Type.String({ minLength: 1, description });

/** `ca/ORGANISATION/source.json`: who certifies an organisation's keys when it is not its development CA. */
export const FabricCaPlace = Type.Object(
  {
    kind: Type.Literal('fabric-ca'),
    url: Type.String({ pattern: '^https://', maxLength: limits.nameBytes }),
    caName: Type.Optional(Type.String({ minLength: 1, maxLength: limits.nameBytes })),
    tlsCaFile: path(
      'PEM of the CAs that may have issued its TLS certificate; no others are believed',
    ),
    secretsDir: Type.Optional(
      path(
        'holds KEY.secret, mode 0600, for keys that enroll with the secret of their registration',
      ),
    ),
    registrar: Type.Optional(
      Type.Object(
        { certificateFile: path('PEM'), keyFile: path('PEM, mode 0600') },
        { additionalProperties: false, description: 'an identity with hf.Revoker, for revocation' },
      ),
    ),
  },
  { additionalProperties: false },
);
export type FabricCaPlace = Static<typeof FabricCaPlace>;

/** Whoever may certify one key. */
export interface CertificateSource {
  readonly place: KeyPlace;
  /** @returns the answer as it came. */
  issue(request: CertificateRequest): Promise<string>;
}

/**
 * Has a key's request answered, and looks at the answer before anybody relies on it: it has to be
 * for this very key, by an authority of its organisation, valid now, in the unit of its role.
 *
 * @param csrDer signed by the key; its common name is the key's name.
 * @returns PEM of the certificate alone.
 * @throws CLI_KEY_COMPROMISED, CLI_REQUEST_FOREIGN, CLI_CA_…, HSM_KEY_MISMATCH, HSM_CERTIFICATE_…, CRYPTO_…
 */
export async function obtainCertificate(
  source: CertificateSource,
  csrDer: Uint8Array,
): Promise<string> {
  const request = parseCsr(csrDer);
  const { key, role, authorities, revokedKeys } = source.place;
  if (revokedKeys.has(request.publicKey.fingerprint)) throw fault('CLI_KEY_COMPROMISED', { key });
  const { commonName = '' } = request.subject;
  if (commonName !== key) throw fault('CLI_REQUEST_FOREIGN', { key, commonName });
  const certificate = readAnswer(await source.issue(request));
  const demand = { key, role, publicKey: request.publicKey, authorities };
  checkKeyCertificate(certificate, demand, systemClock.nowMs());
  return certificatePem(certificate.der);
}

/**
 * Who certifies the keys of the key's organisation.
 *
 * @param present the certificate that the key has now, and how to sign with it: for a Fabric CA to
 *   which the key has no secret.
 * @throws BASE_CONFIG_…, CLI_SECRET_MISSING when asked to issue.
 */
export function certificateSourceOf(
  layout: NetworkLayout,
  place: KeyPlace,
  present?: CaCredential,
): CertificateSource {
  const fabric = fabricCaOf(layout, place.organisation);
  if (fabric === undefined) return developmentSource(layout, place);
  return fabricSource(place, fabric, present);
}

/** The Fabric CA of an organisation that has one. @throws BASE_CONFIG_… */
export function fabricCaOf(
  layout: NetworkLayout,
  organisation: string,
): (FabricCaPlace & { ca: FabricCa }) | undefined {
  const file = layout.certificateSource(organisation);
  if (!existsSync(file)) return undefined;
  const at = readConfig(FabricCaPlace, file);
  return { ...at, ca: new FabricCa(at) };
}

/** What an operator brings. @param pem one certificate. */
export function pastedSource(place: KeyPlace, pem: string): CertificateSource {
  return { place, issue: () => Promise.resolve(pem) };
}

function developmentSource(layout: NetworkLayout, place: KeyPlace): CertificateSource {
  const { key, organisation, role } = place;
  return {
    place,
    issue: ({ publicKey }) =>
      DevelopmentCa.open(layout.ca(organisation), 'ca').issueIdentity(
        { commonName: key, organization: organisation, nodeOu: unitOfRole[role] ?? 'client' },
        publicKey.spki,
        new Date(systemClock.nowMs()),
      ),
  };
}

function fabricSource(
  place: KeyPlace,
  { ca, secretsDir }: FabricCaPlace & { ca: FabricCa },
  present: CaCredential | undefined,
): CertificateSource {
  return {
    place,
    issue: ({ der }) => {
      const csrPem = pemBlock('CERTIFICATE REQUEST', der);
      const secretFile = `${secretsDir ?? ''}/${place.key}.secret`;
      if (secretsDir !== undefined && existsSync(secretFile)) {
        return ca.enroll({ id: place.key, secret: readSecret(secretFile) }, csrPem);
      }
      if (present === undefined) throw fault('CLI_SECRET_MISSING', { key: place.key });
      return ca.reenroll(present, csrPem);
    },
  };
}

/** @throws CLI_CA_ANSWER_INVALID */
function readAnswer(pem: string): Certificate {
  try {
    return parsePem(pem);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('CLI_CA_ANSWER_INVALID', { what: 'certificate' }, cause);
  }
}
