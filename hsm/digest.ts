import { sha256 } from '#crypto';

declare const digestMark: unique symbol;

/**
 * A SHA-256 digest made here, 32 bytes. Tokens cut or take whatever CKM_ECDSA is given, so nothing
 * else may reach it; and no digest ever comes from outside.
 */
export type Digest = Uint8Array & { readonly [digestMark]: true };

/** SHA-256 over the parts, as if they were joined. */
export function digestOf(...parts: readonly Uint8Array[]): Digest {
  return sha256(...parts) as Digest;
}
