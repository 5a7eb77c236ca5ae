import {
  constants,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readSecret, toBase64 } from '#base';
import { importPublicKey } from '#crypto';
import { spkiOf } from './development-ca.ts';
import { fault } from './faults.ts';

/** A private key as an order `key.import` brings it to a token, all in base64 but the fingerprint. */
export interface WrappedForImport {
  /** As the operator policy has to name the key. */
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly wrapped: string;
}

const transportBytes = 32;
/** RFC 5649, section 3. */
const keyWrapStart = Buffer.from('a65959a6', 'hex');

/**
 * Wraps a private key for one token, where the key is: the plain key is in this process's memory.
 *
 * @param keyFile PEM of a P-256 private key, readable by its owner only.
 * @param wrappingKey SubjectPublicKeyInfo of the RSA key that the token has made for it.
 * @throws CLI_WRAPPING_WRONG, BASE_SECRET_UNREADABLE
 */
export function wrapKey(keyFile: string, wrappingKey: Uint8Array): WrappedForImport {
  const key = privateKeyIn(keyFile);
  const publicKey = importPublicKey(spkiOf(createPublicKey(key)));
  if (publicKey.kind !== 'P-256') throw fault('CLI_WRAPPING_WRONG', { kind: publicKey.kind });
  const wrapping = rsaKeyOf(wrappingKey);
  const { RSA_PKCS1_OAEP_PADDING: padding } = constants;
  const transport = randomBytes(transportBytes);
  // The token, SoftHSM among them, may know OAEP with SHA-1 only; nothing rests on its collisions.
  const head = publicEncrypt({ key: wrapping, padding, oaepHash: 'sha1' }, transport);
  const cipher = createCipheriv('id-aes256-wrap-pad', transport, keyWrapStart);
  const tail = [cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()];
  return {
    fingerprint: publicKey.fingerprint,
    publicKey: toBase64(publicKey.spki),
    wrapped: toBase64(Buffer.concat([head, ...tail])),
  };
}

function privateKeyIn(file: string): KeyObject {
  try {
    return createPrivateKey(readSecret(file));
  } catch (cause) {
    throw fault('CLI_WRAPPING_WRONG', { file }, cause);
  }
}

function rsaKeyOf(spki: Uint8Array): KeyObject {
  const { kind } = importPublicKey(spki);
  if (kind !== 'RSA') throw fault('CLI_WRAPPING_WRONG', { kind });
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
}
