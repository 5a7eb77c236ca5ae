import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { importPublicKey } from '#crypto';
import type { PublicKey, TbsSigner } from '#crypto';

/** A key pair made by OpenSSL, and a signer as a token offers it: DER, SHA-256, any s. */
export interface TestKey {
  privateKey: KeyObject;
  spki: Uint8Array;
  publicKey: PublicKey;
  sign: TbsSigner;
}

export function ecKey(namedCurve = 'P-256'): TestKey {
  return testKey(generateKeyPairSync('ec', { namedCurve }));
}

export function ed25519Key(): TestKey {
  return testKey(generateKeyPairSync('ed25519'));
}

export function rsaKey(modulusLength = 2048): TestKey {
  return testKey(generateKeyPairSync('rsa', { modulusLength }));
}

export function spkiOf(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
}

function testKey(pair: { publicKey: KeyObject; privateKey: KeyObject }): TestKey {
  const { privateKey } = pair;
  const spki = spkiOf(pair.publicKey);
  return {
    privateKey,
    spki,
    publicKey: importPublicKey(spki),
    sign: (tbs) => new Uint8Array(sign('sha256', tbs, privateKey)),
  };
}
