import { equalBytes, toHex } from '#base';
import { sha256 } from '#crypto';
import type { Certificate, SharedStart } from '#crypto';
import { mspRoles } from '#formats';
import type { MspPrincipal } from '#formats';
import { certifiersIdentifier } from './ca-pool.ts';
import type { CertificationPath } from './ca-pool.ts';
import type { Identity, PolicyIdentity } from './identity.ts';
import type { Msp } from './msp.ts';
import { hasRole, satisfiesPrincipal } from './principal.ts';
import { verifiesOnce } from './signature-memo.ts';

/**
 * An identity whose certificate chains to its provider's roots. Whether it is also *valid* (not
 * revoked, with the organisational units asked for) is `failure`: Fabric keeps the two apart, and
 * counts an invalid one as a signer that merely satisfies no principal.
 */
export class Member implements Identity, PolicyIdentity {
  readonly msp: Msp;
  readonly certificate: Certificate;
  readonly path: CertificationPath;
  readonly serialized: Uint8Array;
  /** Provider and certificate hash: two signatures under one key count as one. */
  readonly key: string;
  #failure: string | false | undefined;
  #certifiersIdentifier: Uint8Array | undefined;
  readonly #satisfied = new WeakMap<MspPrincipal, boolean>();

  constructor(msp: Msp, path: CertificationPath, serialized: Uint8Array) {
    this.msp = msp;
    this.path = path;
    this.certificate = path[0];
    this.serialized = serialized;
    this.key = msp.id + toHex(sha256(this.certificate.der));
  }

  get mspid(): string {
    return this.msp.id;
  }

  get subjectId(): string {
    return `${this.msp.id}::${this.certificate.subject.rfc4514}`;
  }

  /** Why the identity is not valid; undefined when it is. */
  get failure(): string | undefined {
    this.#failure ??= this.msp.failureOf(this) ?? false;
    return this.#failure === false ? undefined : this.#failure;
  }

  get roles(): Identity['roles'] {
    const { client, peer, admin, orderer } = mspRoles;
    return {
      client: hasRole(this, client),
      peer: hasRole(this, peer),
      admin: hasRole(this, admin),
      orderer: hasRole(this, orderer),
    };
  }

  get organizationalUnits(): readonly string[] {
    return this.certificate.subject.organizationalUnits;
  }

  /** Fabric's name for the path of authorities above the certificate. */
  get certifiersIdentifier(): Uint8Array {
    this.#certifiersIdentifier ??= certifiersIdentifier(this.path.slice(1));
    return this.#certifiersIdentifier;
  }

  satisfies(principal: MspPrincipal): boolean {
    const known = this.#satisfied.get(principal);
    if (known !== undefined) return known;
    const answer = satisfiesPrincipal(this, principal);
    this.#satisfied.set(principal, answer);
    return answer;
  }

  /** ECDSA with SHA-256 and low s; no other kind of key signs for a stock peer. */
  verifies(data: Uint8Array, signature: Uint8Array, start?: SharedStart): boolean {
    const { publicKey } = this.certificate;
    if (publicKey.kind !== 'P-256' && publicKey.kind !== 'P-384') return false;
    return verifiesOnce(publicKey, data, signature, start);
  }

  hasCertificate(certificate: Certificate): boolean {
    return equalBytes(this.certificate.der, certificate.der);
  }
}
