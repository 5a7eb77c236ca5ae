import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { toBase64Url } from '#base';
import { ecSpki, oids, sm2PublicKeyOf, sm2Sign } from '#crypto';
import type { JoseAlgorithm } from '#crypto';
import { assembleJws, encodeRequest } from '#formats';
import { spkiOf } from './development-ca.ts';

const rsaBits = 3072;
const sm2PemLabel = 'COUNTERSIGN SM2 PRIVATE KEY';
/** A line before the PEM block, which readers of PEM skip: the key itself is good for both of RSA's. */
const rs256Mark = 'Algorithm: RS256\n';

/** A client's signing key in memory, and how it is kept in a file. */
export interface ClientKey {
  algorithm: JoseAlgorithm;
  publicKeySpki: Uint8Array;
  /** @returns the signature in JOSE's form. */
  sign(signingInput: Uint8Array): Uint8Array;
  toPem(): string;
}

export function generateClientKey(algorithm: JoseAlgorithm): ClientKey {
  if (algorithm === 'SM2') return sm2Key(new Uint8Array(randomBytes(32)));
  return nodeKey(algorithm, generators[algorithm]().privateKey);
}

const generators = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES256K: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: rsaBits }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: rsaBits }),
} as const;

/** @param pem as `toPem` made it, or any PEM of a private key that requests can use. */
export function readClientKey(pem: string): ClientKey {
  const sm2 = new RegExp(`-----BEGIN ${sm2PemLabel}-----([^-]*)-----END`).exec(pem)?.[1];
  if (sm2 !== undefined) return sm2Key(new Uint8Array(Buffer.from(sm2, 'base64')));
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType === 'ed25519') return nodeKey('EdDSA', key);
  if (key.asymmetricKeyType === 'rsa') {
    return nodeKey(pem.startsWith(rs256Mark) ? 'RS256' : 'PS256', key);
  }
  const curves: Readonly<Record<string, JoseAlgorithm>> = {
    prime256v1: 'ES256',
    secp384r1: 'ES384',
    secp256k1: 'ES256K',
  };
  const algorithm = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm === undefined) throw new TypeError('the key is of no kind that requests can use');
  return nodeKey(algorithm, key);
}

export interface RequestFields {
  channel: string;
  contract: string;
  operations: { function: string; args: string[] }[];
  /** Seconds from now until the request dies. */
  lifetimeSeconds: number;
  nowMs: number;
}

/** Makes and signs a request. @returns the compact JWS. */
export function signRequest(key: ClientKey, kid: string, fields: RequestFields): string {
  const { channel, contract, operations, lifetimeSeconds, nowMs } = fields;
  const iat = Math.floor(nowMs / 1000);
  const signingInput = encodeRequest(
    { alg: key.algorithm, kid },
    {
      channel,
      contract,
      operations,
      nonce: toBase64Url(randomBytes(16)),
      iat,
      exp: iat + lifetimeSeconds,
    },
  );
  return assembleJws(signingInput, key.sign(signingInput));
}

function nodeKey(algorithm: JoseAlgorithm, key: KeyObject): ClientKey {
  return {
    algorithm,
    publicKeySpki: spkiOf(createPublicKey(key)),
    sign: (signingInput) => new Uint8Array(signWith(algorithm, key, signingInput)),
    toPem: () => {
      const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
      return algorithm === 'RS256' ? `${rs256Mark}${pem}` : pem;
    },
  };
}

function signWith(algorithm: JoseAlgorithm, key: KeyObject, input: Uint8Array): Buffer {
  const dsaEncoding = 'ieee-p1363';
  switch (algorithm) {
    case 'EdDSA':
      return sign(null, input, key);
    case 'ES384':
      return sign('sha384', input, { key, dsaEncoding });
    case 'PS256':
      return sign('sha256', input, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'RS256':
      return sign('sha256', input, key);
    default:
      return sign('sha256', input, { key, dsaEncoding });
  }
}

function sm2Key(secret: Uint8Array): ClientKey {
  return {
    algorithm: 'SM2',
    publicKeySpki: ecSpki(oids.sm2, sm2PublicKeyOf(secret)),
    sign: (signingInput) => sm2Sign(secret, signingInput),
    toPem: () =>
      `-----BEGIN ${sm2PemLabel}-----\n${Buffer.from(secret).toString('base64')}\n-----END ${sm2PemLabel}-----\n`,
  };
}
