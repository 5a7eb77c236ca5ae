import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { utf8 } from '#base';
import {
  buildCertificate,
  buildCrl,
  certificatePem,
  derToRaw,
  parseCertificate,
  pemBlock,
  rawToDer,
  toLowS,
} from '#crypto';
import type { Certificate, KeyUsage } from '#crypto';
import { SerializedIdentity } from '#formats';

const year = 365 * 24 * 3600 * 1000;
/** When every certificate here starts unless told otherwise. */
export const epoch = new Date('2024-01-01T00:00:00Z');

export interface IssueOptions {
  units?: readonly string[];
  curve?: 'P-256' | 'P-384';
  keyPair?: { publicKey: KeyObject; privateKey: KeyObject };
  notBefore?: Date;
  notAfter?: Date;
  extendedKeyUsages?: readonly string[];
}

/** A certificate with its private key. */
export class TestIdentity {
  readonly certificate: Certificate;
  readonly #key: KeyObject;

  constructor(certificate: Certificate, key: KeyObject) {
    this.certificate = certificate;
    this.#key = key;
  }

  get pem(): string {
    return certificatePem(this.certificate.der);
  }

  get keyPem(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  serialized(mspid: string, pem: string = this.pem): Uint8Array {
    return SerializedIdentity.encode({ mspid, idBytes: utf8(pem) });
  }

  /** DER with low s. */
  sign(data: Uint8Array): Uint8Array {
    const curve = this.certificate.publicKey.kind as 'P-256' | 'P-384';
    const der = new Uint8Array(sign('sha256', data, this.#key));
    return rawToDer(toLowS(curve, derToRaw(der, curve === 'P-256' ? 32 : 48)));
  }
}

/** A certification authority for tests. */
export class TestCa extends TestIdentity {
  readonly #caKey: KeyObject;
  #serial = 1n;

  constructor(certificate: Certificate, key: KeyObject) {
    super(certificate, key);
    this.#caKey = key;
  }

  static async root(name: string, notBefore = epoch): Promise<TestCa> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = await buildCertificate(
      {
        subject: { commonName: name },
        issuer: 'self',
        serial: 1n,
        notBefore,
        notAfter: new Date(notBefore.getTime() + 20 * year),
        publicKeySpki: spkiOf(publicKey),
        ca: {},
        keyUsages: ['keyCertSign', 'cRLSign'],
      },
      (tbs) => sign('sha256', tbs, privateKey),
    );
    return new TestCa(parseCertificate(der), privateKey);
  }

  async intermediate(name: string): Promise<TestCa> {
    const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await this.#certify(name, keyPair.publicKey, { ca: {} });
    return new TestCa(certificate, keyPair.privateKey);
  }

  async issue(name: string, options: IssueOptions = {}): Promise<TestIdentity> {
    const { curve = 'P-256' } = options;
    const keyPair = options.keyPair ?? generateKeyPairSync('ec', { namedCurve: curve });
    const certificate = await this.#certify(name, keyPair.publicKey, options);
    return new TestIdentity(certificate, keyPair.privateKey);
  }

  /** A revocation list as PEM. */
  async crl(...revoked: TestIdentity[]): Promise<Uint8Array> {
    const der = await buildCrl(
      {
        issuer: this.certificate,
        crlNumber: 1n,
        thisUpdate: epoch,
        nextUpdate: new Date(epoch.getTime() + year),
        revoked: revoked.map((one) => ({ serial: one.certificate.serialNumber, at: epoch })),
      },
      (tbs) => sign('sha256', tbs, this.#caKey),
    );
    return utf8(pemBlock('X509 CRL', der));
  }

  async #certify(
    commonName: string,
    publicKey: KeyObject,
    options: IssueOptions & { ca?: object },
  ): Promise<Certificate> {
    const usages: KeyUsage[] = options.ca ? ['keyCertSign', 'cRLSign'] : ['digitalSignature'];
    const notBefore = options.notBefore ?? epoch;
    this.#serial += 1n;
    const der = await buildCertificate(
      {
        subject: { commonName, organizationalUnits: options.units ?? [] },
        issuer: this.certificate,
        serial: this.#serial,
        notBefore,
        notAfter: options.notAfter ?? new Date(notBefore.getTime() + 10 * year),
        publicKeySpki: spkiOf(publicKey),
        ca: options.ca,
        keyUsages: usages,
        extendedKeyUsages: options.extendedKeyUsages,
      },
      (tbs) => sign('sha256', tbs, this.#caKey),
    );
    return parseCertificate(der);
  }
}

function spkiOf(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
}
