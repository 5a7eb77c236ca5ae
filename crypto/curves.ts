/** The curves ECDSA is verified on here. */
export type EcdsaCurve = 'P-256' | 'P-384' | 'secp256k1';

interface CurveOrder {
  /** Octets of a coordinate and of r and s each. */
  fieldBytes: number;
  /** The group order n, big-endian, `fieldBytes` long. */
  order: Uint8Array;
  /** ⌊n / 2⌋, the largest s that is low. */
  halfOrder: Uint8Array;
}

/** Group orders: SEC 2 version 2 sections 2.4.1 (secp256k1), 2.4.2 (P-256) and 2.5.1 (P-384). */
export const curveOrders: Readonly<Record<EcdsaCurve, CurveOrder>> = {
  'P-256': curveOrder('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'P-384': curveOrder(
    'ffffffffffffffffffffffffffffffffffffffffffffffff' +
      'c7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  secp256k1: curveOrder('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'),
};

function curveOrder(hex: string): CurveOrder {
  const half = (BigInt(`0x${hex}`) >> 1n).toString(16).padStart(hex.length, '0');
  return {
    fieldBytes: hex.length / 2,
    order: Uint8Array.from(Buffer.from(hex, 'hex')),
    halfOrder: Uint8Array.from(Buffer.from(half, 'hex')),
  };
}
