import { Type, fromBase64Url, limits, toBase64Url } from '#base';
import type { Static } from '#base';
import { Approval } from './approval.ts';
import { auditStart, parseAuditLine, writeAuditLine } from './audit-record.ts';
import type { AuditRecord } from './audit-record.ts';
import { documentReader } from './document.ts';
import { fault } from './faults.ts';

/** Approvals by everyone present, over the step that they follow. */
const Signatures = Type.Object(
  {
    /** Number of the step whose line is approved. */
    step: Type.Integer({ minimum: 1, maximum: limits.ceremonyStepsMax }),
    approvals: Type.Array(Approval, { maxItems: limits.operatorsMax + 1 }),
  },
  { additionalProperties: false },
);

const Transcript = Type.Object(
  {
    typ: Type.Literal('countersign-ceremony/1'),
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: limits.nameBytes }),
    /** Base64url of the operator policy's bytes: those who may be present, and how many must. */
    policy: Type.String({ pattern: '^[A-Za-z0-9_-]+$' }),
    /** The witness, who is none of the operators: name and SubjectPublicKeyInfo in PEM. */
    witness: Type.Object(
      { id: Type.String({ minLength: 1, maxLength: limits.nameBytes }), publicKey: Type.String() },
      { additionalProperties: false },
    ),
    /** Base64url of each step's line, as an audit record. */
    steps: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]+$' }), {
      minItems: 1,
      maxItems: limits.ceremonyStepsMax,
    }),
    signatures: Type.Array(Signatures, { maxItems: 2 }),
  },
  { additionalProperties: false },
);
export type Transcript = Static<typeof Transcript>;

export interface Step {
  readonly record: AuditRecord;
  readonly line: Uint8Array;
}

/**
 * What happens at a ceremony, in this order. Steps marked `each` come once for every key.
 * The proof of a key signs the line before it, so that it cannot have been made beforehand.
 */
export const ceremonySteps = {
  opened: 'ceremony.opened',
  token: 'token.prepared',
  generated: 'key.generated',
  proved: 'key.proved',
  requested: 'key.requested',
  closed: 'ceremony.closed',
} as const;

const readTranscript = documentReader(Transcript, 'ceremony transcript');

/** @throws CUSTODY_DOCUMENT_…, CUSTODY_CEREMONY_INVALID a step does not follow the one before. */
export function parseTranscript(bytes: Uint8Array): Transcript & { lines: readonly Step[] } {
  const transcript = readTranscript(bytes);
  let previous = auditStart(transcript.name);
  const lines = transcript.steps.map((text, index): Step => {
    const line = fromBase64Url(text);
    if (line === undefined) throw fault('CUSTODY_CEREMONY_INVALID', { step: index + 1 });
    const record = parseAuditLine(line);
    if (record.sequence !== index + 1 || record.previous !== previous) {
      throw fault('CUSTODY_CEREMONY_INVALID', { step: index + 1, why: 'order' });
    }
    previous = record.hash;
    return { record, line };
  });
  return { ...transcript, lines };
}

/** Writes the steps of a ceremony as they happen. */
export class TranscriptWriter {
  readonly #name: string;
  readonly #lines: Uint8Array[] = [];
  #hash: string;
  #timeMs = 0;

  constructor(name: string) {
    this.#name = name;
    this.#hash = auditStart(name);
  }

  /** @returns the step's line: what is approved, and what the next proof signs. */
  add(event: string, facts: Readonly<Record<string, string>>, timeMs: number): Uint8Array {
    this.#timeMs = Math.max(timeMs, this.#timeMs);
    const { line, hash } = writeAuditLine({
      sequence: this.#lines.length + 1,
      timeMs: this.#timeMs,
      event,
      facts: { ...facts },
      previous: this.#hash,
    });
    this.#hash = hash;
    this.#lines.push(line);
    return line;
  }

  /** @returns the transcript's JSON text. */
  finish(parts: Pick<Transcript, 'policy' | 'witness' | 'signatures'>): string {
    const transcript: Transcript = {
      typ: 'countersign-ceremony/1',
      name: this.#name,
      ...parts,
      steps: this.#lines.map(toBase64Url),
    };
    return `${JSON.stringify(transcript, undefined, 2)}\n`;
  }
}
