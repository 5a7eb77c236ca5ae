import type { PublicKey } from '#crypto';
import { segmentEvent } from './anchorings.ts';
import type { AuditRecord } from './audit-record.ts';
import { AuditVerifier } from './audit-verifier.ts';
import type { AuditReport, KnownOfLog } from './audit-verifier.ts';
import { fault } from './faults.ts';
import { readSignatures, signatureLogName } from './signature-record.ts';
import type { LoggedSignature } from './signature-record.ts';

/** What the signature log of a host says, once it was found to hold together. */
export interface SignatureLogReport extends AuditReport {
  /** Of the oldest record that is kept; what came before it may have been moved away. */
  readonly firstSequence: number;
  readonly segments: number;
  /** Signatures on record, each of which may have been made. */
  readonly signatures: number;
  /** SHA-256 of SubjectPublicKeyInfo, hex, of every key that is named, by the label of its version. */
  readonly keys: Readonly<Record<string, string>>;
  /** Bytes after the last whole line, such as a crash leaves: nothing was signed on them. */
  readonly tornBytes: number;
}

/**
 * Verifies a host's signature log with nothing but the keys of its token: up to the newest checkpoint
 * no record was changed, taken out, put in or moved.
 *
 * @param segments the kept files whole, oldest first, without a gap.
 * @param of what is known from elsewhere, without which an end that was cut off is not missed.
 * @param onSignature hears of every signature on record.
 * @throws CUSTODY_AUDIT_…
 */
export function verifySignatureLog(
  segments: Iterable<Uint8Array>,
  of: { token: string; keys: readonly PublicKey[] } & KnownOfLog,
  onSignature: (signature: LoggedSignature) => void = () => {},
): SignatureLogReport {
  const log = new SignatureLogReader(of, onSignature);
  for (const bytes of segments) log.readSegment(bytes);
  return log.end();
}

class SignatureLogReader {
  readonly #verifier: AuditVerifier;
  readonly #onSignature: (signature: LoggedSignature) => void;
  readonly #keys = new Map<string, string>();
  /** Labels whose key the segment at hand has named. */
  readonly #named = new Set<string>();
  #firstSequence = 0;
  #segments = 0;
  #newestSegment = 0;
  #signatures = 0;
  #tornBytes = 0;

  constructor(
    of: { token: string; keys: readonly PublicKey[] } & KnownOfLog,
    onSignature: (signature: LoggedSignature) => void,
  ) {
    const name = signatureLogName(of.token);
    this.#verifier = new AuditVerifier(name, of.keys, of, { mayStartLate: true });
    this.#onSignature = onSignature;
  }

  readSegment(segment: Uint8Array): void {
    // The host drops a torn end before it goes on in another file.
    if (this.#tornBytes > 0) throw this.#broken('torn in the middle');
    this.#named.clear();
    this.#segments += 1;
    let start = 0;
    // A host at work, and a crash, leave zeros behind the last whole line.
    const bytes = withoutZeros(segment);
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      const record = this.#verifier.push(bytes.subarray(start, end));
      if (this.#firstSequence === 0) this.#firstSequence = record.sequence;
      if ((record.event === segmentEvent) !== (start === 0)) throw this.#broken('segment');
      if (start === 0) this.#open(record);
      else this.#read(record);
      start = end + 1;
    }
    this.#tornBytes = bytes.length - start;
  }

  end(): SignatureLogReport {
    const report = this.#verifier.end();
    if (report.checkpointSequence === 0) throw fault('CUSTODY_AUDIT_UNSIGNED');
    return {
      ...report,
      firstSequence: this.#firstSequence,
      segments: this.#segments,
      signatures: this.#signatures,
      keys: Object.fromEntries(this.#keys),
      tornBytes: this.#tornBytes,
    };
  }

  #open({ sequence, facts }: AuditRecord): void {
    const number = Number(facts['segment']);
    const isFirst = this.#newestSegment === 0;
    const follows = isFirst ? number >= 1 : number === this.#newestSegment + 1;
    // Only the log's own start has nothing before it.
    if (!follows || (number === 1) !== (sequence === 1)) throw this.#broken('segment');
    this.#newestSegment = number;
  }

  #read(record: AuditRecord): void {
    const { signatures, fingerprints } = readSignatures(record);
    for (const [label, fingerprint] of fingerprints) {
      // A version of a key has one pair in all its life.
      if ((this.#keys.get(label) ?? fingerprint) !== fingerprint) throw this.#broken('key');
      this.#keys.set(label, fingerprint);
      this.#named.add(label);
    }
    for (const signature of signatures) {
      if (!this.#named.has(signature.label)) throw this.#broken('key');
      this.#onSignature(signature);
    }
    this.#signatures += signatures.length;
  }

  #broken(why: string) {
    return fault('CUSTODY_AUDIT_CHAIN_BROKEN', { segment: this.#newestSegment, why });
  }
}

const newline = 0x0a;

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}
