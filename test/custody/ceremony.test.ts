import { createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import t from 'tap';
import { textOf, toBase64, toBase64Url, utf8 } from '#base';
import { buildCsr, normaliseEcdsa } from '#crypto';
import {
  TranscriptWriter,
  ceremonySteps,
  demandedAttributes,
  signApproval,
  verifyCeremony,
} from '#custody';
import type { Transcript } from '#custody';
import { fuzz } from '../crypto/fuzzing.ts';
import { ecKeyPair, operatorSetting } from '../support/operators.ts';

const setting = operatorSetting();
const witness = ecKeyPair();

interface Changes {
  operators?: readonly string[];
  operatorsAtEnd?: readonly string[];
  attributes?: Readonly<Record<string, string>>;
  proofKey?: KeyObject;
  proofOver?: Uint8Array;
  requestKey?: KeyObject;
  witnessId?: string;
  keys?: string;
}

/** A ceremony of one key; a software key stands where the token's would be. */
async function ceremony(changes: Changes = {}): Promise<Uint8Array> {
  const key = ecKeyPair().privateKey;
  const writer = new TranscriptWriter('test-ceremony');
  const { policy, policyBytes } = setting;
  const witnessId = changes.witnessId ?? 'wanda';
  let timeMs = 1_000;
  const add = (event: string, facts: Readonly<Record<string, string>>) =>
    writer.add(event, facts, (timeMs += 1));
  const opened = add(ceremonySteps.opened, {
    policy: policy.hash,
    zone: policy.zone,
    witness: witnessId,
  });
  add(ceremonySteps.token, { token: 'org1' });
  const generated = add(ceremonySteps.generated, {
    label: 'org1-node',
    publicKey: toBase64(spkiOf(key)),
    ...demandedAttributes,
    ...changes.attributes,
  });
  const signature = signWith(changes.proofKey ?? key, changes.proofOver ?? generated);
  add(ceremonySteps.proved, { label: 'org1-node', signature: toBase64(signature) });
  const request = await requestOf(changes.requestKey ?? key);
  add(ceremonySteps.requested, { label: 'org1-node', request: toBase64(request) });
  const closed = add(ceremonySteps.closed, { keys: changes.keys ?? '1' });
  const present = changes.operators ?? ['alice', 'bob'];
  const atEnd = changes.operatorsAtEnd ?? present;
  const approvals = (ids: readonly string[], line: Uint8Array) => [
    ...ids.map((id) => setting.approve(id, line)),
    signApproval(witnessId, witness.privateKey, line, policy),
  ];
  const text = writer.finish({
    policy: toBase64Url(policyBytes),
    witness: { id: witnessId, publicKey: witness.publicPem },
    signatures: [
      { step: 1, approvals: approvals(present, opened) },
      { step: 6, approvals: approvals(atEnd, closed) },
    ],
  });
  return utf8(text);
}

t.test('a ceremony as prescribed is verified from its transcript alone', async (t) => {
  t.match(verifyCeremony(await ceremony()), {
    zone: 'test-zone',
    operators: ['alice', 'bob'],
    witness: 'wanda',
    keys: [{ label: 'org1-node' }],
  });
});

const wrong: readonly [string, Changes, string][] = [
  ['one operator alone', { operators: ['alice'] }, 'CUSTODY_APPROVALS_TOO_FEW'],
  ['other people at the end', { operatorsAtEnd: ['alice', 'carol'] }, 'CUSTODY_CEREMONY_INVALID'],
  ['a key that may leave', { attributes: { extractable: 'true' } }, 'CUSTODY_CEREMONY_INVALID'],
  ['a key made elsewhere', { attributes: { local: 'false' } }, 'CUSTODY_CEREMONY_INVALID'],
  ['a proof by another key', { proofKey: ecKeyPair().privateKey }, 'CUSTODY_CEREMONY_INVALID'],
  ['a proof made beforehand', { proofOver: utf8('earlier') }, 'CUSTODY_CEREMONY_INVALID'],
  ['a request of another key', { requestKey: ecKeyPair().privateKey }, 'CUSTODY_CEREMONY_INVALID'],
  ['an operator as witness', { witnessId: 'carol' }, 'CUSTODY_CEREMONY_INVALID'],
  ['a key that is not counted', { keys: '2' }, 'CUSTODY_CEREMONY_INVALID'],
];

for (const [what, changes, code] of wrong) {
  t.test(`${what} makes a ceremony invalid`, async (t) => {
    const transcript = await ceremony(changes);
    t.throws(() => verifyCeremony(transcript), { code });
  });
}

t.test('steps left out, doubled or in another order are found', async (t) => {
  const transcript = JSON.parse(textOf(await ceremony())) as Transcript;
  for (let index = 0; index < transcript.steps.length; index += 1) {
    const without = transcript.steps.filter((_step, at) => at !== index);
    t.throws(() => verifyCeremony(asBytes({ ...transcript, steps: without })), `without ${index}`);
    const swapped = transcript.steps.toSpliced(
      index,
      2,
      ...transcript.steps.slice(index, index + 2).toReversed(),
    );
    if (index + 1 < transcript.steps.length) {
      t.throws(
        () => verifyCeremony(asBytes({ ...transcript, steps: swapped })),
        `swapped ${index}`,
      );
    }
  }
  const noWitness = transcript.signatures.map((one) => ({
    ...one,
    approvals: one.approvals.filter(({ operator }) => operator !== 'wanda'),
  }));
  t.throws(() => verifyCeremony(asBytes({ ...transcript, signatures: noWitness })), {
    code: 'CUSTODY_CEREMONY_INVALID',
    detail: { why: 'no witness' },
  });
});

t.test('mutated transcripts end in faults only', async (t) => {
  const outcome = fuzz(verifyCeremony, await ceremony(), { seed: 21, rounds: 300 });
  t.strictSame(outcome.escaped, []);
  t.ok(outcome.refused > 250, `${outcome.refused} refused`);
});

function asBytes(transcript: Transcript): Uint8Array {
  return utf8(JSON.stringify(transcript));
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}

function signWith(key: KeyObject, message: Uint8Array): Uint8Array {
  return normaliseEcdsa(sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }), 'P-256');
}

function requestOf(key: KeyObject): Promise<Uint8Array> {
  const request = { subject: { commonName: 'node' }, publicKeySpki: spkiOf(key) };
  return buildCsr(request, (message) => signWith(key, message));
}
