import { readFileSync, rmSync } from 'node:fs';
import { createPublicKey } from 'node:crypto';
import { fromHex, systemClock, toBase64, toBase64Url, utf8 } from '#base';
import {
  TranscriptWriter,
  ceremonySteps,
  checkApprovals,
  demandedAttributes,
  parseOperatorPolicy,
  verifyCeremony,
} from '#custody';
import type { Approval, OperatorPolicy } from '#custody';
import type { SignerRole } from '#formats';
import { unitOfRole } from '#hsm';
import { listTokenKeys, proveKey, runProvisioning } from '#softhsm-config';
import type { ListedKey, ProvisionedKey } from '#softhsm-config';
import { operatorOf, readOperatorKey } from './operator-key.ts';
import type { OperatorKey } from './operator-key.ts';

/** What a ceremony makes, and who is there. */
export interface CeremonyPlan {
  /** Directory and label of the token: it is made during the ceremony. */
  readonly tokenDir: string;
  readonly token: string;
  /** Organisation in the keys' certificate requests. */
  readonly organisation: string;
  readonly keys: readonly { readonly label: string; readonly role: SignerRole }[];
  /** The operator policy's file: those who may be present, and how many must. */
  readonly policyFile: string;
  readonly operatorKeyFiles: readonly string[];
  /** Who is no operator, sees all of it and signs that they did. */
  readonly witness: { readonly id: string; readonly keyFile: string };
}

interface Present {
  readonly policyBytes: Uint8Array;
  readonly policy: OperatorPolicy;
  readonly operators: readonly { readonly id: string; readonly key: OperatorKey }[];
  readonly witness: { readonly id: string; readonly key: OperatorKey; readonly publicKey: string };
}

/**
 * Makes a token and its keys before witnesses. Nothing is left of the token unless the transcript
 * verifies.
 *
 * @returns the transcript's JSON text.
 * @throws CUSTODY_…, SOFTHSM_…, CLI_OPERATOR_KEY_WRONG
 */
export async function runCeremony(plan: CeremonyPlan): Promise<string> {
  const present = gather(plan);
  const { policy, policyBytes, witness } = present;
  const writer = new TranscriptWriter(`${policy.zone}-${plan.token}`);
  const add = (event: string, facts: Readonly<Record<string, string>>) =>
    writer.add(event, facts, systemClock.nowMs());
  const opened = add(ceremonySteps.opened, {
    policy: policy.hash,
    zone: policy.zone,
    witness: witness.id,
  });
  const before = approvals(present, opened);
  const byOperators = before.filter(({ operator }) => operator !== witness.id);
  checkApprovals(opened, byOperators, policy, policy.ruleOf('key.generate').approvals);
  const made = await makeToken(plan);
  try {
    add(ceremonySteps.token, { token: plan.token });
    for (const key of made.keys) await tellKey(plan, key, add);
    const closed = add(ceremonySteps.closed, { keys: String(made.keys.length) });
    const step = 3 * made.keys.length + 3;
    const transcript = writer.finish({
      policy: toBase64Url(policyBytes),
      witness: { id: witness.id, publicKey: witness.publicKey },
      signatures: [
        { step: 1, approvals: before },
        { step, approvals: approvals(present, closed) },
      ],
    });
    verifyCeremony(utf8(transcript));
    return transcript;
  } catch (error) {
    rmSync(plan.tokenDir, { recursive: true, force: true });
    throw error;
  }
}

function gather({ policyFile, operatorKeyFiles, witness }: CeremonyPlan): Present {
  const policyBytes = new Uint8Array(readFileSync(policyFile));
  const policy = parseOperatorPolicy(policyBytes);
  const operators = operatorKeyFiles.map((file) => {
    const key = readOperatorKey(file);
    return { id: operatorOf(key, policy.operators).id, key };
  });
  const key = readOperatorKey(witness.keyFile);
  const publicKey = createPublicKey(readFileSync(witness.keyFile)).export({
    type: 'spki',
    format: 'pem',
  });
  return {
    policyBytes,
    policy,
    operators,
    witness: { id: witness.id, key, publicKey: publicKey.toString() },
  };
}

/** Everyone who is there approves one line. */
function approvals({ operators, witness, policy }: Present, line: Uint8Array): Approval[] {
  return [...operators, witness].map(({ id, key }) => key.approve(id, line, policy));
}

interface MadeKey extends ProvisionedKey {
  readonly listed: ListedKey;
}

async function makeToken({ tokenDir, token, organisation, keys }: CeremonyPlan) {
  const wanted = keys.map(({ label, role }) => ({
    label,
    role,
    subject: {
      commonName: label,
      organization: organisation,
      organizationalUnits: [unitOfRole[role] ?? 'client'],
    },
  }));
  const made = await runProvisioning({ dir: tokenDir, label: token, keys: wanted });
  const listed = await listTokenKeys({ dir: tokenDir, label: token });
  const all = made.keys.flatMap((key): MadeKey[] => {
    const one = listed.find(({ label }) => label === key.label);
    return one === undefined ? [] : [{ ...key, listed: one }];
  });
  return { keys: all };
}

/** What the token says of the key, a proof that it is in there, and its certificate request. */
async function tellKey(
  { tokenDir, token }: CeremonyPlan,
  { label, csr, listed }: MadeKey,
  add: (event: string, facts: Readonly<Record<string, string>>) => Uint8Array,
): Promise<void> {
  const names = Object.keys(demandedAttributes) as (keyof typeof demandedAttributes)[];
  const attributes = names.map((name) => [name, String(listed.attributes[name])]);
  const line = add(ceremonySteps.generated, {
    label,
    publicKey: hexToBase64(listed.publicKey),
    ...(Object.fromEntries(attributes) as Record<string, string>),
  });
  const signature = await proveKey({ dir: tokenDir, label: token, key: label }, line);
  add(ceremonySteps.proved, { label, signature: toBase64(signature) });
  add(ceremonySteps.requested, { label, request: hexToBase64(csr) });
}

function hexToBase64(hex: string): string {
  return toBase64(fromHex(hex) ?? new Uint8Array(0));
}
