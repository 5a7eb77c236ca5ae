import { equalBytes, fromBase64, fromBase64Url } from '#base';
import { importPublicKey, parseCsr, pemBlocks, verifyFabric } from '#crypto';
import { checkApproval } from './approval.ts';
import { checkApprovals } from './authorise.ts';
import { ceremonySteps, parseTranscript } from './ceremony-transcript.ts';
import type { Step, Transcript } from './ceremony-transcript.ts';
import { fault } from './faults.ts';
import { parseOperatorPolicy } from './operator-policy.ts';
import type { Operator, OperatorPolicy } from './operator-policy.ts';

/** One key that the ceremony made. */
export interface CeremonyKey {
  readonly label: string;
  /** DER SubjectPublicKeyInfo, P-256. */
  readonly spki: Uint8Array;
  /** PKCS#10, DER, signed by the key. */
  readonly request: Uint8Array;
}

export interface CeremonyReport {
  readonly zone: string;
  /** Of the operator policy in the transcript: whether it is the right one is not in there. */
  readonly policyHash: string;
  readonly operators: readonly string[];
  readonly witness: string;
  readonly keys: readonly CeremonyKey[];
}

/** What a key's attributes must have been read back as. */
export const demandedAttributes = {
  token: 'true',
  private: 'true',
  sensitive: 'true',
  extractable: 'false',
  neverExtractable: 'true',
  local: 'true',
  modifiable: 'false',
} as const;

/**
 * Replays a ceremony from its transcript alone: who was there, which keys were made, that each was
 * made in the token during it, and that the same people saw its beginning and its end.
 *
 * @throws CUSTODY_CEREMONY_INVALID, CUSTODY_APPROVAL…, CUSTODY_POLICY_INVALID, CUSTODY_DOCUMENT_…
 */
export function verifyCeremony(bytes: Uint8Array): CeremonyReport {
  const transcript = parseTranscript(bytes);
  const policyBytes = fromBase64Url(transcript.policy);
  if (policyBytes === undefined) throw fault('CUSTODY_CEREMONY_INVALID', { why: 'policy' });
  const policy = parseOperatorPolicy(policyBytes);
  const steps = new StepReader(transcript.lines);
  const opened = steps.take(ceremonySteps.opened);
  demand(opened, 'policy', policy.hash);
  demand(opened, 'zone', policy.zone);
  demand(opened, 'witness', transcript.witness.id);
  steps.take(ceremonySteps.token);
  const keys: CeremonyKey[] = [];
  while (steps.isNext(ceremonySteps.generated)) keys.push(readKey(steps));
  const closed = steps.take(ceremonySteps.closed);
  steps.end();
  if (keys.length === 0) throw fault('CUSTODY_CEREMONY_INVALID', { why: 'no key' });
  demand(closed, 'keys', String(keys.length));
  const operators = checkPresence(transcript, policy, [opened, closed]);
  const { zone, hash: policyHash } = policy;
  return { zone, policyHash, operators, witness: transcript.witness.id, keys };
}

/** Reads the steps of one key: made, proved by a signature over the step before, requested. */
function readKey(steps: StepReader): CeremonyKey {
  const generated = steps.take(ceremonySteps.generated);
  const label = fact(generated, 'label');
  for (const [name, value] of Object.entries(demandedAttributes)) demand(generated, name, value);
  const spki = bytesOf(generated, 'publicKey');
  const key = importPublicKey(spki);
  const proved = steps.take(ceremonySteps.proved);
  demand(proved, 'label', label);
  const isProved =
    key.kind === 'P-256' && verifyFabric(key, generated.line, bytesOf(proved, 'signature'));
  if (!isProved) throw fault('CUSTODY_CEREMONY_INVALID', { label, why: 'proof' });
  const requested = steps.take(ceremonySteps.requested);
  demand(requested, 'label', label);
  const request = bytesOf(requested, 'request');
  if (!equalBytes(parseCsr(request).publicKey.spki, spki)) {
    throw fault('CUSTODY_CEREMONY_INVALID', { label, why: 'request of another key' });
  }
  return { label, spki, request };
}

/** Operators and witness approve the first and the last step: nobody joined late or left early. */
function checkPresence(
  transcript: Transcript,
  policy: OperatorPolicy,
  [opened, closed]: readonly [Step, Step],
): readonly string[] {
  const witness = witnessOf(transcript, policy);
  const [first, last, ...more] = transcript.signatures;
  const inOrder =
    first?.step === opened.record.sequence &&
    last?.step === closed.record.sequence &&
    more.length === 0;
  if (!inOrder) throw fault('CUSTODY_CEREMONY_INVALID', { why: 'signatures' });
  const approvalsMin = policy.ruleOf('key.generate').approvals;
  const [before, after] = (
    [
      [first, opened],
      [last, closed],
    ] as const
  ).map(([{ approvals }, { line }]) => {
    const byWitness = approvals.filter((one) => one.operator === witness.id);
    if (byWitness[0] === undefined) throw fault('CUSTODY_CEREMONY_INVALID', { why: 'no witness' });
    for (const one of byWitness) checkApproval(one, witness, line, policy);
    const byOperators = approvals.filter((one) => one.operator !== witness.id);
    return checkApprovals(line, byOperators, policy, approvalsMin).toSorted();
  });
  if (String(before) !== String(after)) {
    throw fault('CUSTODY_CEREMONY_INVALID', { why: 'other people at the end' });
  }
  return before ?? [];
}

function witnessOf({ witness }: Transcript, policy: OperatorPolicy): Operator {
  const [spki] = pemBlocks(witness.publicKey, 'PUBLIC KEY');
  if (spki === undefined) throw fault('CUSTODY_CEREMONY_INVALID', { why: 'witness' });
  const publicKey = importPublicKey(spki);
  const isOperator =
    policy.operators.has(witness.id) ||
    [...policy.operators.values()].some(
      (one) => one.publicKey.fingerprint === publicKey.fingerprint,
    );
  if (isOperator) throw fault('CUSTODY_CEREMONY_INVALID', { why: 'the witness is an operator' });
  return { id: witness.id, publicKey };
}

class StepReader {
  readonly #steps: readonly Step[];
  #index = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  isNext(event: string): boolean {
    return this.#steps[this.#index]?.record.event === event;
  }

  take(event: string): Step {
    const step = this.#steps[this.#index];
    if (step?.record.event !== event) {
      throw fault('CUSTODY_CEREMONY_INVALID', { step: this.#index + 1, wanted: event });
    }
    this.#index += 1;
    return step;
  }

  end(): void {
    if (this.#index < this.#steps.length) {
      throw fault('CUSTODY_CEREMONY_INVALID', { step: this.#index + 1, why: 'after the end' });
    }
  }
}

function fact({ record }: Step, name: string): string {
  const value = record.facts[name];
  if (value === undefined) {
    throw fault('CUSTODY_CEREMONY_INVALID', { step: record.sequence, missing: name });
  }
  return value;
}

function demand(step: Step, name: string, wanted: string): void {
  if (fact(step, name) !== wanted) {
    throw fault('CUSTODY_CEREMONY_INVALID', { step: step.record.sequence, wrong: name });
  }
}

function bytesOf(step: Step, name: string): Uint8Array {
  const bytes = fromBase64(fact(step, name));
  if (bytes === undefined) {
    throw fault('CUSTODY_CEREMONY_INVALID', { step: step.record.sequence, wrong: name });
  }
  return bytes;
}
