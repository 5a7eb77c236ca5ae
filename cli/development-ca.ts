import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildCertificate,
  buildCrl,
  certificatePem,
  oids,
  parsePem,
  pemBlock,
  serialHexOf,
} from '#crypto';
import type { Certificate, CertificateFields } from '#crypto';

const yearMs = 365 * 24 * 3600 * 1000;
const caYears = 10;
const leafYears = 1;
/** A certificate may be used by machines whose clocks are a little behind. */
const backdateMs = 5 * 60 * 1000;

/** Role of an identity under NodeOUs. */
export type NodeOu = 'client' | 'peer' | 'admin' | 'orderer';

/**
 * A certificate authority for development: its keys are files. An organisation has two of them, one
 * for identities and one for TLS, as Fabric wants it.
 */
export class DevelopmentCa {
  readonly certificate: Certificate;
  readonly #key: KeyObject;

  readonly #revokedFile: string;

  private constructor(certificate: Certificate, key: KeyObject, revokedFile: string) {
    this.certificate = certificate;
    this.#key = key;
    this.#revokedFile = revokedFile;
  }

  get pem(): string {
    return certificatePem(this.certificate.der);
  }

  /** Makes a root and stores it as NAME.pem and NAME.key.pem. */
  static async create(dir: string, name: 'ca' | 'tlsca', organization: string, now: Date) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = await buildCertificate(
      {
        subject: { commonName: `${name}.${organization}`, organization },
        issuer: 'self',
        serial: randomSerial(),
        // Older than any leaf: Fabric checks a chain at one second after the leaf's beginning.
        notBefore: new Date(now.getTime() - 2 * backdateMs),
        notAfter: new Date(now.getTime() + caYears * yearMs),
        publicKeySpki: spkiOf(publicKey),
        ca: {},
        keyUsages: ['keyCertSign', 'cRLSign'],
      },
      (tbs) => sign('sha256', tbs, privateKey),
    );
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, `${name}.pem`), certificatePem(der));
    writeFileSync(join(dir, `${name}.key.pem`), keyPem(privateKey), { mode: 0o600 });
    return DevelopmentCa.open(dir, name);
  }

  static open(dir: string, name: 'ca' | 'tlsca'): DevelopmentCa {
    return new DevelopmentCa(
      parsePem(readFileSync(join(dir, `${name}.pem`), 'utf8')),
      createPrivateKey(readFileSync(join(dir, `${name}.key.pem`))),
      join(dir, `${name}.revoked.json`),
    );
  }

  /** An identity for an MSP with NodeOUs. @returns PEM. */
  issueIdentity(
    identity: { commonName: string; organization: string; nodeOu: NodeOu },
    publicKeySpki: Uint8Array,
    now: Date,
  ): Promise<string> {
    const { commonName, organization, nodeOu } = identity;
    return this.#issue(
      {
        subject: { commonName, organization, organizationalUnits: [nodeOu] },
        keyUsages: ['digitalSignature'],
      },
      publicKeySpki,
      now,
    );
  }

  /** A TLS certificate for a server that also calls others. @returns PEM. */
  issueTls(
    server: { commonName: string; dnsNames: readonly string[]; ipAddresses: readonly string[] },
    publicKeySpki: Uint8Array,
    now: Date,
  ): Promise<string> {
    const { commonName, dnsNames, ipAddresses } = server;
    return this.#issue(
      {
        subject: { commonName },
        keyUsages: ['digitalSignature', 'keyEncipherment'],
        extendedKeyUsages: [oids.serverAuth, oids.clientAuth],
        dnsNames,
        ipAddresses,
      },
      publicKeySpki,
      now,
    );
  }

  /**
   * Revokes a certificate for ever.
   *
   * @returns PEM of the list with everything that this CA has revoked.
   */
  async revoke(serial: bigint, now: Date): Promise<string> {
    const { crlNumber, revoked } = readRevoked(this.#revokedFile);
    const known = revoked.filter((one) => one.serial !== serialHexOf(serial));
    const all = [...known, { serial: serialHexOf(serial), at: now.toISOString() }];
    const der = await buildCrl(
      {
        issuer: this.certificate,
        crlNumber: BigInt(crlNumber) + 1n,
        thisUpdate: now,
        nextUpdate: new Date(now.getTime() + leafYears * yearMs),
        revoked: all.map((one) => ({ serial: BigInt(`0x${one.serial}`), at: new Date(one.at) })),
      },
      (tbs) => sign('sha256', tbs, this.#key),
    );
    const kept: Revoked = { crlNumber: crlNumber + 1, revoked: all };
    writeFileSync(this.#revokedFile, `${JSON.stringify(kept, undefined, 2)}\n`);
    return pemBlock('X509 CRL', der);
  }

  async #issue(
    fields: Omit<
      CertificateFields,
      'issuer' | 'serial' | 'notBefore' | 'notAfter' | 'publicKeySpki'
    >,
    publicKeySpki: Uint8Array,
    now: Date,
  ): Promise<string> {
    const der = await buildCertificate(
      {
        ...fields,
        issuer: this.certificate,
        serial: randomSerial(),
        notBefore: new Date(now.getTime() - backdateMs),
        notAfter: new Date(now.getTime() + leafYears * yearMs),
        publicKeySpki,
      },
      (tbs) => sign('sha256', tbs, this.#key),
    );
    return certificatePem(der);
  }
}

/** What a CA has to say again in every list. */
interface Revoked {
  crlNumber: number;
  revoked: { serial: string; at: string }[];
}

function readRevoked(file: string): Revoked {
  if (!existsSync(file)) return { crlNumber: 0, revoked: [] };
  return JSON.parse(readFileSync(file, 'utf8')) as Revoked;
}

/** SubjectPublicKeyInfo, DER. */
export function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** 127 random bits: positive, and never the same twice. */
function randomSerial(): bigint {
  return (BigInt(`0x${randomBytes(16).toString('hex')}`) >> 1n) | 1n;
}
