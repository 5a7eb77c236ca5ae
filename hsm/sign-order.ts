import type { LoggedSignature, SignatureKind } from '#custody';
import { digestOf } from './digest.ts';
import type { Digest } from './digest.ts';

/** A content to be signed. @see TokenSigner.sign */
export interface SignOrder {
  readonly keyLabel: string;
  readonly content: Uint8Array;
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

export function withDigest({ keyLabel, content, kind, verify }: SignOrder): DigestedOrder {
  return {
    keyLabel,
    content,
    digest: digestOf(content),
    ...(kind !== undefined && { kind }),
    ...(verify !== undefined && { verify }),
  };
}

export function logged({
  keyLabel: label,
  kind = 'other',
  digest,
}: DigestedOrder): LoggedSignature {
  return { label, kind, digest };
}
