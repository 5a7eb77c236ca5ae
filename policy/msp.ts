import { equalBytes } from '#base';
import { certificatePem, parseCertificate, parseCrl, verifyChain, verifySigned } from '#crypto';
import type { Certificate, Crl } from '#crypto';
import { FabricMspConfig, SerializedIdentity } from '#formats';
import type { FabricOuIdentifier, MspConfig } from '#formats';
import { CaPool, certifiersIdentifier } from './ca-pool.ts';
import type { CertificationPath } from './ca-pool.ts';
import { fault } from './faults.ts';
import { Member } from './member.ts';
import { nodeOuFailure, readNodeOus } from './node-ous.ts';
import type { CertifiedUnit, NodeOus } from './node-ous.ts';
import { firstPemBlock } from './pem-identity.ts';

/** msp.MSPConfig.type of X.509 providers; the other kind, idemix, is not known here. */
const fabricMspType = 0;

/**
 * A membership provider: who belongs to an organisation, and as what.
 * The rules are those of Fabric's MSP version 1.4.3, in force from channel capability V1_4_3 on.
 *
 * @see Fabric msp/mspimplsetup.go, setupV142.
 */
export class Msp {
  readonly id: string;
  readonly nodeOus: NodeOus | undefined;
  readonly #pool: CaPool;
  readonly #crls: readonly Crl[];
  readonly #units: readonly Required<CertifiedUnit>[];
  readonly #admins: readonly Certificate[];

  /** @throws POLICY_CONFIG_INVALID, FORMATS_PROTOBUF_INVALID, and crypto's of malformed parts. */
  constructor(config: MspConfig) {
    const fields = fabricConfigOf(config);
    this.id = fields.name;
    this.#pool = new CaPool(
      fields.rootCerts.map(certificateOf),
      fields.intermediateCerts.map(certificateOf),
    );
    this.#crls = fields.revocationList.map(readRevocationList);
    for (const authority of this.#pool.intermediates) this.#checkNotRevoked(authority);
    this.#checkTls(fields);
    this.#units = fields.organizationalUnitIdentifiers.map((ou) => this.#certifiedUnit(ou));
    this.nodeOus = readNodeOus(fields.fabricNodeOus, (pem) => this.#certifiersOf(pem));
    this.#admins = fields.admins.map((pem) => this.#checkedAdmin(pem).certificate);
    if (this.#admins.length === 0 && this.nodeOus?.admin === undefined) {
      throw this.#invalid('neither administrators nor a unit for them');
    }
  }

  /**
   * Reads an identity that names this provider.
   *
   * @param serialized msp.SerializedIdentity bytes.
   * @returns a member that chains to a root; look at its `failure` for the rest.
   * @throws POLICY_IDENTITY_INVALID, FORMATS_PROTOBUF_INVALID, and crypto's.
   */
  memberOf(serialized: Uint8Array): Member {
    const { mspid, idBytes } = SerializedIdentity.decode(serialized);
    if (mspid !== this.id) throw fault('POLICY_IDENTITY_INVALID', { mspid, expected: this.id });
    const certificate = certificateOf(idBytes);
    const { kind } = certificate.publicKey;
    // Go imports no other keys into an identity; RSA it imports, and then never verifies with.
    if (kind !== 'P-256' && kind !== 'P-384' && kind !== 'RSA') {
      throw fault('POLICY_IDENTITY_INVALID', { mspid, reason: 'key kind', kind });
    }
    return new Member(this, this.#pool.pathOf(certificate), Uint8Array.from(serialized));
  }

  /** As `memberOf`, for a bare certificate with any kind of key. */
  memberOfCertificate(certificate: Certificate): Member {
    const path = this.#pool.pathOf(certificate);
    const idBytes = new TextEncoder().encode(certificatePem(certificate.der));
    return new Member(this, path, SerializedIdentity.encode({ mspid: this.id, idBytes }));
  }

  isListedAdmin(certificate: Certificate): boolean {
    return this.#admins.some((admin) => equalBytes(admin.der, certificate.der));
  }

  /** Why a member is not valid, by Fabric's `Validate`: CA, path, revocation, units; in this order. */
  failureOf(member: Member): string | undefined {
    const { certificate, path } = member;
    if (certificate.isCa) return 'a CA is no identity';
    const issuer = path[1];
    if (issuer === undefined) return 'no certification path';
    if (this.#pool.isInner(issuer)) return 'issued by an authority that has authorities below it';
    return (
      this.#revocation(path) ??
      this.#unitFailure(member) ??
      (this.nodeOus === undefined ? undefined : nodeOuFailure(this.nodeOus, member))
    );
  }

  /** Dates of the lists are ignored, as Fabric ignores them: a list counts as long as it is configured. */
  #revocation([certificate, issuer]: CertificationPath): string | undefined {
    for (const crl of this.#crls) {
      if (crl.authorityKeyId === undefined) return 'a revocation list names no authority';
      if (issuer?.subjectKeyId === undefined) return 'an authority has no key identifier';
      if (!equalBytes(crl.authorityKeyId, issuer.subjectKeyId)) continue;
      if (!crl.revoked.has(certificate.serialHex)) continue;
      if (verifySigned(crl, issuer.publicKey)) return 'revoked';
    }
    return undefined;
  }

  #unitFailure({ organizationalUnits, certifiersIdentifier }: Member): string | undefined {
    if (this.#units.length === 0) return undefined;
    const found = this.#units.some(
      (one) =>
        organizationalUnits.includes(one.unit) &&
        equalBytes(one.certifiersIdentifier, certifiersIdentifier),
    );
    return found ? undefined : 'in none of the organisational units';
  }

  #checkNotRevoked(authority: Certificate): void {
    const reason = this.#revocation(this.#pool.pathOf(authority));
    if (reason !== undefined) throw this.#invalid(`certification authority: ${reason}`);
  }

  #certifiedUnit(identifier: FabricOuIdentifier): Required<CertifiedUnit> {
    return {
      unit: identifier.organizationalUnitIdentifier,
      certifiersIdentifier: this.#certifiersOf(identifier.certificate),
    };
  }

  #certifiersOf(pem: Uint8Array): Uint8Array {
    const path = this.#pool.pathOf(certificateOf(pem));
    const [authority] = path;
    const isAuthority = (one: Certificate) => equalBytes(one.der, authority.der);
    if (this.#pool.roots.some(isAuthority)) return certifiersIdentifier([authority]);
    if (!this.#pool.intermediates.some(isAuthority)) {
      throw this.#invalid('unit of an unknown authority');
    }
    if (this.#pool.isInner(authority)) {
      throw this.#invalid('unit of an authority that has authorities below it');
    }
    return certifiersIdentifier(path);
  }

  #checkedAdmin(pem: Uint8Array): Member {
    const idBytes = pem;
    const admin = this.memberOf(SerializedIdentity.encode({ mspid: this.id, idBytes }));
    const { nodeOus } = this;
    if (nodeOus === undefined) {
      if (admin.failure !== undefined) throw this.#invalid(`administrator: ${admin.failure}`);
      return admin;
    }
    const units = [nodeOus.client?.unit, nodeOus.admin?.unit];
    if (!admin.organizationalUnits.some((unit) => units.includes(unit))) {
      throw this.#invalid('administrator is neither client nor admin');
    }
    return admin;
  }

  /** TLS authorities are not used here, but a stock peer refuses the configuration for bad ones. */
  #checkTls(fields: FabricMspConfig): void {
    const roots = fields.tlsRootCerts.map(certificateOf);
    const intermediates = fields.tlsIntermediateCerts.map(certificateOf);
    for (const authority of [...roots, ...intermediates]) {
      if (!authority.isCa) throw this.#invalid('TLS authority is no CA');
      if (authority.subjectKeyId === undefined) throw this.#invalid('TLS authority has no key id');
      const at = new Date(authority.notBefore.getTime() + 1_000);
      const [first, ...above] = verifyChain(authority, { roots, intermediates, at });
      if (first === undefined || above.length === 0) continue;
      const reason = this.#revocation([first, ...above]);
      if (reason !== undefined) throw this.#invalid(`TLS authority: ${reason}`);
    }
  }

  #invalid(reason: string): Error {
    return fault('POLICY_CONFIG_INVALID', { reason, mspid: this.id });
  }
}

function fabricConfigOf(config: MspConfig): FabricMspConfig {
  if (config.type !== fabricMspType) {
    throw fault('POLICY_CONFIG_INVALID', { reason: 'type of provider', type: config.type });
  }
  const fields = FabricMspConfig.decode(config.config);
  const invalid = (reason: string) =>
    fault('POLICY_CONFIG_INVALID', { reason, mspid: fields.name });
  if (fields.name === '') throw invalid('provider without a name');
  if (fields.rootCerts.length === 0) throw invalid('no root certificate');
  if (fields.signingIdentity.length > 0) throw invalid('a signing identity in a channel');
  const { signatureHashFamily = '', identityIdentifierHashFunction = '' } =
    fields.cryptoConfig ?? {};
  // Fabric can be told to use SHA-3 here; nothing else in this project could follow it.
  if (!['', 'SHA2'].includes(signatureHashFamily)) throw invalid('signature hash family');
  if (!['', 'SHA256'].includes(identityIdentifierHashFunction)) throw invalid('identity hash');
  return fields;
}

function certificateOf(pem: Uint8Array): Certificate {
  const der = firstPemBlock(pem);
  if (der === undefined) throw fault('POLICY_IDENTITY_INVALID', { reason: 'no PEM block' });
  return parseCertificate(der);
}

const crlPemMark = new TextEncoder().encode('-----BEGIN X509 CRL');

/** A revocation list may stand in PEM or DER, as Go takes either. */
export function readRevocationList(bytes: Uint8Array): Crl {
  const isPem = equalBytes(bytes.subarray(0, crlPemMark.length), crlPemMark);
  return parseCrl((isPem ? firstPemBlock(bytes) : undefined) ?? bytes);
}
