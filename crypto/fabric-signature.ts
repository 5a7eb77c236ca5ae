import { createVerify, verify } from 'node:crypto';
import { concatBytes } from '#base';
import { curveOrders } from './curves.ts';
import { isLowS, rawToDer, readDerSignature, readDerSignatureLoosely } from './ecdsa-signature.ts';
import type { SharedStart } from './digests.ts';
import { fault } from './faults.ts';
import { keyObjectOf } from './public-key.ts';
import type { PublicKey } from './public-key.ts';

/**
 * Verifies an ECDSA signature as Fabric's nodes make them: SHA-256 for P-256 and P-384 alike,
 * DER, low s.
 *
 * @param signature strict DER, nothing after it.
 * @returns false for every signature that is not right; never throws on one.
 * @throws CRYPTO_ALGORITHM_MISMATCH the key is neither P-256 nor P-384.
 * @see Fabric bccsp/sw/ecdsa.go, verifyECDSA.
 */
export function verifyFabric(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const curve = fabricCurveOf(key);
  const raw = readDerSignature(signature, curveOrders[curve].fieldBytes);
  if (raw === undefined || !isLowS(curve, raw)) return false;
  return verify('sha256', message, keyObjectOf(key), signature);
}

/**
 * As `verifyFabric`, but with the leniency of stock peers, for judging what already is in a block:
 * Go's asn1.Unmarshal overlooks bytes after s and after the SEQUENCE, and a peer of ours that did
 * not would give such a block other validation codes. What the zone admits itself is strict.
 *
 * @param start what comes before the message, unless it is the whole.
 * @see Fabric bccsp/utils/ecdsa.go, UnmarshalECDSASignature.
 */
export function verifyFabricAsStockPeer(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  start?: SharedStart,
): boolean {
  const curve = fabricCurveOf(key);
  const raw = readDerSignatureLoosely(signature, curveOrders[curve].fieldBytes);
  if (raw === undefined || !isLowS(curve, raw)) return false;
  if (start === undefined) return verify('sha256', message, keyObjectOf(key), rawToDer(raw));
  if (start.bytes.length < joinedBytesMax) {
    return verify('sha256', concatBytes(start.bytes, message), keyObjectOf(key), rawToDer(raw));
  }
  const running = createVerify('sha256').update(start.bytes).update(message);
  return running.verify(keyObjectOf(key), rawToDer(raw));
}

/** Measured: joining more than this costs more than verifying piece by piece. */
const joinedBytesMax = 16 * 1024;

function fabricCurveOf(key: PublicKey): 'P-256' | 'P-384' {
  if (key.kind === 'P-256' || key.kind === 'P-384') return key.kind;
  throw fault('CRYPTO_ALGORITHM_MISMATCH', { algorithm: 'Fabric ECDSA', keyKind: key.kind });
}
