/** Requests as clients make them. */
import { constants, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { toBase64Url, utf8 } from '#base';
import { derToRaw, normaliseEcdsa } from '#crypto';
import type { JoseAlgorithm } from '#crypto';
import { assembleJws, encodeRequest } from '#formats';
import type { RequestPayload, RequestSigner } from '#formats';
import { channelId, startMs } from './channel.ts';
import type { TestMember } from './channel.ts';

export function payloadWith(changes: Partial<RequestPayload> = {}): RequestPayload {
  return {
    channel: channelId,
    contract: 'notary',
    operations: [{ function: 'deposit', args: ['ab12', 'Grüße.pdf'] }],
    nonce: toBase64Url(randomBytes(16)),
    iat: startMs / 1_000,
    exp: startMs / 1_000 + 600,
    ...changes,
  };
}

/** A request with a right signature of the member's key. */
export function signedRequest(
  member: TestMember,
  signer: RequestSigner,
  changes: Partial<RequestPayload> = {},
): Uint8Array {
  const signingInput = encodeRequest(signer, payloadWith(changes));
  const signature = signWith(signer.alg, member.key.privateKey, signingInput);
  return utf8(assembleJws(signingInput, signature));
}

/** A request whose signature is none. */
export function requestWith(
  signer: RequestSigner,
  changes: Partial<RequestPayload> = {},
  signature: Uint8Array = new Uint8Array(64).fill(1),
): Uint8Array {
  return utf8(assembleJws(encodeRequest(signer, payloadWith(changes)), signature));
}

function signWith(alg: JoseAlgorithm, key: KeyObject, input: Uint8Array): Uint8Array {
  switch (alg) {
    case 'ES256':
      return derToRaw(normaliseEcdsa(rawOf('sha256', key, input, 32), 'P-256'), 32);
    case 'ES384':
      return rawOf('sha384', key, input, 48);
    case 'ES256K':
      return rawOf('sha256', key, input, 32);
    case 'EdDSA':
      return sign(null, input, key);
    case 'RS256':
      return sign('sha256', input, key);
    case 'PS256':
      return sign('sha256', input, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      });
    default:
      throw new TypeError('node:crypto has no SM2 with a user id');
  }
}

function rawOf(digest: string, key: KeyObject, input: Uint8Array, fieldBytes: number): Uint8Array {
  return derToRaw(new Uint8Array(sign(digest, input, key)), fieldBytes);
}
