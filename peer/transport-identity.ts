import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { equalBytes, utf8 } from '#base';
import { normaliseEcdsa, parsePem } from '#crypto';
import { SerializedIdentity } from '#formats';
import { fault } from './faults.ts';

/** Who asks for blocks. It proves a reader, not an endorser: its key may lie in a file. */
export interface TransportIdentity {
  /** msp.SerializedIdentity bytes. */
  readonly serialized: Uint8Array;
  /** ECDSA with SHA-256, DER, low s. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * @param certificate PEM.
 * @param privateKey PEM, P-256 or P-384.
 * @throws PEER_IDENTITY_INVALID
 */
export function transportIdentity(
  mspid: string,
  certificate: string,
  privateKey: string,
): TransportIdentity {
  const { key, curve } = matchedKey(certificate, privateKey);
  return {
    serialized: SerializedIdentity.encode({ mspid, idBytes: utf8(certificate) }),
    sign: (message) =>
      normaliseEcdsa(sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }), curve),
  };
}

function matchedKey(certificate: string, privateKey: string) {
  let key: KeyObject;
  try {
    key = createPrivateKey(privateKey);
  } catch (cause) {
    throw fault('PEER_IDENTITY_INVALID', { reason: 'the key cannot be read' }, cause);
  }
  const { publicKey } = parsePem(certificate);
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  if (!equalBytes(spki, publicKey.spki)) {
    throw fault('PEER_IDENTITY_INVALID', { reason: 'the key is of another certificate' });
  }
  const { kind } = publicKey;
  if (kind === 'P-256' || kind === 'P-384') return { key, curve: kind };
  throw fault('PEER_IDENTITY_INVALID', { reason: 'kind of key', kind });
}
