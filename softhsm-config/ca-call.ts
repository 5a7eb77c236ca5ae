import { toBase64, utf8 } from '#base';

/** A call to a Fabric CA that an identity makes in its own name. */
export interface CaCall {
  /** For example `/api/v1/reenroll`. */
  readonly path: string;
  readonly body: string;
  /** PEM of the identity's certificate, byte for byte as the call carries it. */
  readonly certificate: string;
}

/**
 * What the identity signs, ECDSA with SHA-256. It begins with a word, so no transaction, block or
 * certificate that the same key signs can be meant by it.
 *
 * @see Fabric CA util/util.go, GenECDSAToken.
 */
export function caCallContent({ path, body, certificate }: CaCall): Uint8Array {
  return utf8(['POST', ...[path, body, certificate].map((part) => toBase64(utf8(part)))].join('.'));
}
