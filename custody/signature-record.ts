import { fromBase64Url, limits, toBase64Url } from '#base';
import type { AuditRecord } from './audit-record.ts';
import { fault } from './faults.ts';

/** What a content is that a key of a token signs. */
export const signatureKinds = [
  'endorsement',
  'envelope',
  'block',
  'request',
  'rotation',
  'marks',
  'checkpoint',
  'other',
] as const;
export type SignatureKind = (typeof signatureKinds)[number];

/** A signature that is on record before it is made: of whose key, of what kind, over which digest. */
export interface LoggedSignature {
  /** Of the key's version. */
  readonly label: string;
  readonly kind: SignatureKind;
  /** SHA-256 of the content, 32 bytes. */
  readonly digest: Uint8Array;
}

export const signaturesEvent = 'signatures';

/** Logs of two tokens are never taken for each other: their keys differ, whatever their labels. */
export function signatureLogName(token: string): string {
  return `${token}/signatures`;
}

/** Facts are `KIND LABEL`, digests in base64url with spaces between; and `key LABEL`, a fingerprint. */
export function factsOfSignatures(
  signatures: readonly LoggedSignature[],
  fingerprints: ReadonlyMap<string, string>,
): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const [label, fingerprint] of fingerprints) facts[`key ${label}`] = fingerprint;
  for (const { label, kind, digest } of signatures) {
    const name = `${kind} ${label}`;
    const before = facts[name];
    const text = toBase64Url(digest);
    facts[name] = before === undefined ? text : `${before} ${text}`;
  }
  return facts;
}

/** @throws CUSTODY_AUDIT_LINE_INVALID */
export function readSignatures({ event, facts, sequence }: AuditRecord): {
  readonly signatures: readonly LoggedSignature[];
  /** SHA-256 of SubjectPublicKeyInfo, hex, of keys that this record names first, by label. */
  readonly fingerprints: ReadonlyMap<string, string>;
} {
  const signatures: LoggedSignature[] = [];
  const fingerprints = new Map<string, string>();
  if (event !== signaturesEvent) return { signatures, fingerprints };
  for (const [name, value] of Object.entries(facts)) {
    const at = name.indexOf(' ');
    // Labels may have any characters, kinds have not.
    const [kind, label] = [name.slice(0, Math.max(0, at)), name.slice(at + 1)];
    if (kind === 'key') {
      if (!/^[0-9a-f]{64}$/.test(value)) throw invalid(sequence);
      fingerprints.set(label, value);
    } else {
      if (!isKind(kind)) throw invalid(sequence);
      for (const text of value.split(' ')) {
        const digest = fromBase64Url(text);
        if (digest?.length !== 32) throw invalid(sequence);
        signatures.push({ label, kind, digest });
      }
    }
  }
  if (signatures.length > limits.signaturesPerRecordMax) throw invalid(sequence);
  return { signatures, fingerprints };
}

function isKind(text: string): text is SignatureKind {
  return signatureKinds.some((one) => one === text);
}

function invalid(sequence: number) {
  return fault('CUSTODY_AUDIT_LINE_INVALID', { sequence });
}
