import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
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
  const key = asIdentityFault('the key cannot be read', () => createPrivateKey(privateKey));
  const { publicKey } = asIdentityFault('no certificate', () => parsePem(certificate));
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  if (!equalBytes(spki, publicKey.spki)) throw invalid('the key is of another certificate');
  const { kind } = publicKey;
  if (kind !== 'P-256' && kind !== 'P-384') throw invalid('kind of key');
  return { key, curve: kind };
}

function asIdentityFault<Value>(reason: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw fault('PEER_IDENTITY_INVALID', { reason }, cause);
  }
}

function invalid(reason: string): Error {
  return fault('PEER_IDENTITY_INVALID', { reason });
}
