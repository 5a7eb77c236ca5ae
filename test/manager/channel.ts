/** A channel of two organisations and a zone, with certificates of any kind of key. */
import { randomBytes } from 'node:crypto';
import { buildCertificate, certificatePem, parseCertificate } from '#crypto';
import type { Certificate } from '#crypto';
import { SerializedIdentity } from '#formats';
import type { Block } from '#formats';
import { ChannelConfig, buildGenesisBlock } from '#policy';
import { utf8 } from '#base';
import { ecKey } from '../crypto/keys.ts';
import type { TestKey } from '../crypto/keys.ts';
import { makeCa, makeLeaf } from '../crypto/certificates.ts';
import type { TestCa } from '../crypto/certificates.ts';

export const channelId = 'deeds';
/** Within the dates of every certificate made here. */
export const startMs = Date.parse('2030-01-01T00:00:00Z');

export interface TestChannel {
  genesis: Block;
  config: ChannelConfig;
  /** By MSP id. */
  authorities: Record<'Org1MSP' | 'Org2MSP' | 'ZoneMSP', TestCa>;
}

export interface TestMember {
  certificate: Certificate;
  pem: string;
  key: TestKey;
  /** msp.SerializedIdentity bytes. */
  serialized: Uint8Array;
}

export async function makeChannel(): Promise<TestChannel> {
  const authorities = {
    Org1MSP: await makeCa('Org1 CA'),
    Org2MSP: await makeCa('Org2 CA'),
    ZoneMSP: await makeCa('Zone CA'),
  };
  const tlsCa = await makeCa('TLS CA');
  const organization = (name: string, mspid: keyof typeof authorities) => ({
    name,
    mspid,
    rootCertificates: [certificatePem(authorities[mspid].certificate.der)],
    tlsRootCertificates: [certificatePem(tlsCa.certificate.der)],
  });
  const genesis = buildGenesisBlock({
    channelId,
    time: new Date(startMs),
    nonce: new Uint8Array(randomBytes(24)),
    zone: { ...organization('Zone', 'ZoneMSP'), endpoints: ['localhost:7050'] },
    consenter: {
      host: 'localhost',
      port: 7050,
      tlsCertificate: certificatePem(tlsCa.certificate.der),
    },
    organizations: [organization('Org1', 'Org1MSP'), organization('Org2', 'Org2MSP')],
  });
  return { genesis, config: ChannelConfig.fromBlock(genesis), authorities };
}

let serials = 100n;

/** A certificate of one of the channel's organisations, or of a stranger's. */
export async function makeMember(
  ca: TestCa,
  mspid: string,
  options: {
    unit?: string;
    key?: TestKey;
    name?: string;
    notBefore?: Date;
    notAfter?: Date;
  } = {},
): Promise<TestMember> {
  const { unit = 'client', key = ecKey(), name = 'clerk', ...dates } = options;
  serials += 1n;
  const certificate = await makeLeaf(ca, {
    subject: { commonName: name, organizationalUnits: [unit], organization: mspid },
    serial: serials,
    publicKeySpki: key.spki,
    ...dates,
  });
  const pem = certificatePem(certificate.der);
  const serialized = SerializedIdentity.encode({ mspid, idBytes: utf8(pem) });
  return { certificate, pem, key, serialized };
}

/** A server certificate for localhost, valid now by the real clock, which TLS goes by. */
export async function makeTlsPair(): Promise<{
  certificate: string;
  privateKey: string;
  root: string;
}> {
  const dates = { notBefore: new Date('2020-01-01'), notAfter: new Date('2049-01-01') };
  const ca = await makeCa('TLS CA', undefined, dates);
  const key = ecKey();
  const der = await buildCertificate(
    {
      subject: { commonName: 'localhost' },
      issuer: ca.certificate,
      serial: 2n,
      ...dates,
      publicKeySpki: key.spki,
      keyUsages: ['digitalSignature'],
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
    },
    ca.key.sign,
  );
  return {
    certificate: certificatePem(parseCertificate(der).der),
    privateKey: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    root: certificatePem(ca.certificate.der),
  };
}

/** Time that stands still until it is moved. */
export class ManualClock {
  #ms = startMs;

  nowMs(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}
