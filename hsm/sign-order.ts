import { concatBytes } from '#base';
import type { LoggedSignature, SignatureKind } from '#custody';
import { digestOf } from './digest.ts';
import type { Digest } from './digest.ts';

/** A content to be signed. @see TokenSigner.sign */
export interface SignOrder {
  readonly keyLabel: string;
  readonly content: Uint8Array;
  /** What of the content comes first, when it is in two pieces: joining large ones costs more than hashing them. */
  readonly start?: Uint8Array;
  /** What it is, for the signature log; `other` if nothing is said. */
  readonly kind?: SignatureKind;
  /** Verify the signature before it leaves, because nobody else does before it counts. */
  readonly verify?: boolean;
}

/** An order with what reaches the token of it. */
export interface DigestedOrder extends SignOrder {
  readonly digest: Digest;
}

/** Returns when the signatures are on record, and may be made. */
export type RecordSignatures = (signatures: readonly LoggedSignature[]) => Promise<void>;

export function withDigest({ keyLabel, start, content, kind, verify }: SignOrder): DigestedOrder {
  return {
    keyLabel,
    content,
    ...(start !== undefined && { start }),
    digest: start === undefined ? digestOf(content) : digestOf(start, content),
    ...(kind !== undefined && { kind }),
    ...(verify !== undefined && { verify }),
  };
}

/** The whole of what is signed. */
export function contentOf({ start, content }: SignOrder): Uint8Array {
  return start === undefined ? content : concatBytes(start, content);
}

export function logged({
  keyLabel: label,
  kind = 'other',
  digest,
}: DigestedOrder): LoggedSignature {
  return { label, kind, digest };
}
