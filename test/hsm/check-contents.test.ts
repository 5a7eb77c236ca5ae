import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import {
  ApplicationPolicy,
  ChaincodeEndorsementInfo,
  ChaincodeEvent,
  ChaincodeValidationInfo,
  OrdererBlockMetadata,
  SignatureHeader,
  SignaturePolicyEnvelope,
  StateData,
  StateMetadata,
  Transaction,
  approvalsCreation,
  approvalsWrite,
  headerHash,
  lifecycleKeys,
} from '#formats';
import type { KvRwSet, KvWrite, SignerRole } from '#formats';
import { parsePolicyText } from '#policy';
import { checkBlock } from '../../hsm/check-block.ts';
import { checkEndorsement as checkEndorsementOf } from '../../hsm/check-endorsement.ts';
import { checkEnvelope } from '../../hsm/check-envelope.ts';
import { fuzz } from '../crypto/fuzzing.ts';
import {
  blockCall,
  configPayload,
  contractCode,
  endorsementPayload,
  lifecyclePayload,
  notaryDefinition,
  relayPayload,
} from './samples.ts';

const identity = utf8('the identity');
const checkEndorsement = (payload: Uint8Array) => checkEndorsementOf(payload, 'Org1MSP');

t.test('002-10 an approving response is endorsed, a rejecting one is refused', async (t) => {
  checkEndorsement(endorsementPayload());
  checkEndorsement(endorsementPayload({ status: 399 }));
  for (const status of [0, 199, 400, 500]) {
    const payload = endorsementPayload({ status });
    t.throws(() => checkEndorsement(payload), { code: 'HSM_RESPONSE_DENIED' }, `status ${status}`);
  }
});

t.test('writes to a namespace of the system are refused', async (t) => {
  const denied = { code: 'HSM_NAMESPACE_DENIED' };
  for (const namespace of ['', 'lscc', '_lifecycle']) {
    t.throws(() => checkEndorsement(endorsementPayload({ namespace })), denied, `"${namespace}"`);
  }
  const foreign = endorsementPayload({ contract: '_lifecycle', namespace: 'notary' });
  t.throws(() => checkEndorsement(foreign), denied, 'a definition that writes elsewhere');
});

t.test('an endorsement with anything unknown in it is refused', async (t) => {
  const unknownField = Uint8Array.of(...endorsementPayload(), 0x78, 1);
  t.throws(() => checkEndorsement(unknownField), { code: 'FORMATS_PROTOBUF_NOT_CANONICAL' });
  const event = ChaincodeEvent.encode({ chaincodeId: 'other', txId: 'x', eventName: 'e' });
  const foreignEvent = endorsementPayload({ action: { events: event } });
  t.throws(() => checkEndorsement(foreignEvent), { code: 'HSM_CALL_MALFORMED' });
});

t.test('a whole contract definition is endorsed', async () => {
  checkEndorsement(lifecyclePayload(notaryDefinition()));
});

t.test('a definition that would stop a stock peer is refused', async (t) => {
  const field = lifecycleKeys.field;
  const bytes = (value: Uint8Array) => StateData.encode({ bytes: value });
  const validation = (plugin: string, policy: Uint8Array) =>
    bytes(
      ChaincodeValidationInfo.encode({ validationPlugin: plugin, validationParameter: policy }),
    );
  const policy = ApplicationPolicy.encode({ channelConfigPolicyReference: '/Channel/X' });
  const hostile: readonly (readonly [why: string, key: string, value: Uint8Array])[] = [
    ['sequence 0', field('notary', 'Sequence'), StateData.encode({ int64: 0n })],
    ['sequence in the bytes arm', field('notary', 'Sequence'), bytes(utf8('1'))],
    ['an unknown plugin', field('notary', 'ValidationInfo'), validation('mine', policy)],
    ['no policy', field('notary', 'ValidationInfo'), validation('vscc', emptyBytes)],
    ['a policy that is none', field('notary', 'ValidationInfo'), validation('vscc', utf8('junk'))],
    [
      'another endorsement plugin',
      field('notary', 'EndorsementInfo'),
      bytes(ChaincodeEndorsementInfo.encode({ version: '1', endorsementPlugin: 'mine' })),
    ],
    ['collections', field('notary', 'Collections'), bytes(utf8('c'))],
    ['no arm', field('notary', 'Collections'), StateData.encode({ int64: 1n })],
    [
      'another datatype',
      lifecycleKeys.metadata('notary'),
      StateMetadata.encode({ datatype: 'Chaincode', fields: [] }),
    ],
    ['an unknown field', 'namespaces/fields/notary/Other', bytes(utf8('x'))],
    ['a field below a field', 'namespaces/fields/notary/Sequence/x', bytes(utf8('x'))],
    ['an unknown key', 'chaincode-sources/metadata/notary', bytes(utf8('x'))],
    ['code under another hash', lifecycleKeys.code(new Uint8Array(32)), contractCode],
    ['a contract without a hash', lifecycleKeys.contract('notary'), utf8('short')],
    ['a bad name', lifecycleKeys.contract('../notary'), new Uint8Array(32)],
  ];
  for (const [why, key, value] of hostile) {
    const writes = notaryDefinition().filter((write) => write.key !== key);
    const payload = lifecyclePayload([...writes, { key, isDelete: false, value }]);
    t.throws(() => checkEndorsement(payload), { name: 'Fault' }, why);
  }
});

t.test('deletes, doubles and halves of a definition are refused', async (t) => {
  const invalid = { code: 'HSM_DEFINITION_INVALID' };
  const whole = notaryDefinition();
  const first = whole[0] as KvWrite;
  const deleted = { key: first.key, isDelete: true, value: emptyBytes };
  t.throws(() => checkEndorsement(lifecyclePayload([deleted])), invalid, 'a delete');
  t.throws(() => checkEndorsement(lifecyclePayload([...whole, first])), invalid, 'a key twice');
  for (const missing of whole.slice(0, 5)) {
    const half = lifecyclePayload(whole.filter((write) => write !== missing));
    t.throws(() => checkEndorsement(half), invalid, `without ${missing.key}`);
  }
});

const approval = {
  name: 'notary',
  sequence: 1n,
  version: '1.0',
  applicationPolicy: ApplicationPolicy.encode({ channelConfigPolicyReference: '/Channel/X' }),
  codeHash: new Uint8Array(32),
  packageId: 'notary:00',
};
const approvals = { mspid: 'Org1MSP', contracts: [approval] };
const keyPolicyOf = (text: string) => SignaturePolicyEnvelope.encode(parsePolicyText(text));

function approvalPayload(rwset: Partial<KvRwSet>): Uint8Array {
  return endorsementPayload({ contract: '_lifecycle', rwset });
}

t.test('a node’s key endorses the approval of its own organisation', async (t) => {
  const write = approvalsWrite(approvals);
  checkEndorsementOf(approvalPayload({ writes: [write] }), 'Org1MSP');
  const invalid = { code: 'HSM_DEFINITION_INVALID' };
  const refused = (why: string, writes: KvWrite[], mspid = 'Org1MSP') =>
    t.throws(() => checkEndorsementOf(approvalPayload({ writes }), mspid), invalid, why);
  refused('by the key of another', [write], 'Org2MSP');
  const changed = (changes: Partial<typeof approval>) =>
    approvalsWrite({ ...approvals, contracts: [{ ...approval, ...changes }] });
  refused('a name that is none', [changed({ name: '../x' })]);
  refused('the name of a system contract', [changed({ name: 'qscc' })]);
  refused('sequence 0', [changed({ sequence: 0n })]);
  refused('a version that is none', [changed({ version: 'a b' })]);
  refused('a policy that is none', [changed({ applicationPolicy: utf8('junk') })]);
  refused('no code', [changed({ codeHash: emptyBytes })]);
  refused('a long package id', [changed({ packageId: 'x'.repeat(200) })]);
  refused('the same twice', [approvalsWrite({ ...approvals, contracts: [approval, approval] })]);
  refused('under another key', [{ ...write, key: lifecycleKeys.approvals('Org2MSP') }]);
  refused('a deletion', [{ ...write, isDelete: true }]);
  refused('unknown fields', [{ ...write, value: Uint8Array.of(...write.value, 0x78, 1) }]);
  refused('of two organisations', [write, approvalsWrite({ ...approvals, mspid: 'Org2MSP' })]);
  refused('together with a definition', [write, ...notaryDefinition()]);
});

t.test('approvals keys are made empty, new, and under their organisation’s policy', async (t) => {
  const creation = (keyPolicy: Uint8Array, contracts: (typeof approval)[] = []) => {
    const { write, metadataWrite } = approvalsCreation('Org2MSP', keyPolicy);
    const { value } = approvalsWrite({ mspid: 'Org2MSP', contracts });
    return {
      reads: [{ key: write.key, version: undefined }],
      writes: [{ ...write, value }],
      metadataWrites: [metadataWrite],
    };
  };
  const good = creation(keyPolicyOf("OR('Org2MSP.peer')"));
  checkEndorsementOf(approvalPayload(good), 'Org1MSP');
  const refused = (why: string, rwset: Partial<KvRwSet>) =>
    t.throws(() => checkEndorsementOf(approvalPayload(rwset), 'Org1MSP'), { name: 'Fault' }, why);
  refused('a policy of another', creation(keyPolicyOf("OR('Org1MSP.peer')")));
  refused('a policy of both', creation(keyPolicyOf("OR('Org2MSP.peer', 'Org1MSP.peer')")));
  refused('a policy that is none', creation(utf8('junk')));
  refused('not empty', creation(keyPolicyOf("OR('Org2MSP.peer')"), [approval]));
  refused('unread', { ...good, reads: [] });
  const version = { blockNum: 1n, txNum: 0n };
  refused('there already', { ...good, reads: [{ ...good.reads[0]!, version }] });
  refused('metadata alone', { ...good, writes: [] });
  refused('a policy for a definition', {
    writes: notaryDefinition(),
    metadataWrites: [{ key: notaryDefinition()[0]!.key, entries: [] }],
  });
  const other = [{ name: 'OTHER', value: emptyBytes }];
  refused('other metadata', {
    ...good,
    metadataWrites: [{ key: good.writes[0]!.key, entries: other }],
  });
});

const keyOf = (role: SignerRole) => ({ role, identity, channels: new Set(['ch']) });

t.test('a relay signs an endorser transaction in its own name only', async (t) => {
  const check = (payload: Uint8Array) => checkEnvelope(keyOf('relay'), payload);
  check(relayPayload(identity));
  const denied = { code: 'HSM_ENVELOPE_DENIED' };
  const twoActions = Transaction.encode({
    actions: [
      { header: emptyBytes, payload: utf8('a') },
      { header: emptyBytes, payload: utf8('b') },
    ],
  });
  const hostile: readonly (readonly [why: string, payload: Uint8Array])[] = [
    ['another creator', relayPayload(utf8('someone else'))],
    ['another transaction id', relayPayload(identity, { channelHeader: { txId: 'ab' } })],
    ['a configuration', configPayload(identity)],
    ['an epoch', relayPayload(identity, { channelHeader: { epoch: 1n } })],
    ['no channel', relayPayload(identity, { channelHeader: { channelId: '' } })],
    ['no nonce', relayPayload(identity, { signatureHeader: { nonce: emptyBytes } })],
    ['two actions', relayPayload(identity, { data: twoActions })],
    ['no action', relayPayload(identity, { data: emptyBytes })],
  ];
  for (const [why, payload] of hostile) t.throws(() => check(payload), denied, why);
});

t.test('the ordering key signs configuration only, node keys no envelope', async (t) => {
  checkEnvelope(keyOf('ordering'), configPayload(identity));
  const relayed = relayPayload(identity);
  const denied = { code: 'HSM_ENVELOPE_DENIED' };
  t.throws(() => checkEnvelope(keyOf('ordering'), relayed), denied);
  t.throws(() => checkEnvelope(keyOf('node'), relayed), { code: 'HSM_ROLE_DENIED' });
  t.throws(() => checkEnvelope(keyOf('attestation'), relayed), { code: 'HSM_ROLE_DENIED' });
});

t.test("a block's signature content is made here, of checked parts", async (t) => {
  const call = blockCall(identity, 7n);
  const { headerHash: hash, content } = checkBlock(call, identity);
  t.strictSame(hash, headerHash(call));
  t.strictSame(content.subarray(0, call.metadataValue.length), call.metadataValue);
  const hostile: readonly (readonly [why: string, change: Parameters<typeof blockCall>[2]])[] = [
    ['no last config', { metadataValue: OrdererBlockMetadata.encode({}) }],
    [
      'a last config ahead of the block',
      { metadataValue: OrdererBlockMetadata.encode({ lastConfig: { index: 8n } }) },
    ],
    ['a short hash', { dataHash: new Uint8Array(31) }],
    ['no previous hash', { previousHash: emptyBytes }],
    ['a bad channel name', { channel: 'Ch' }],
    ['another signer', { signatureHeader: SignatureHeader.encode({ creator: utf8('x') }) }],
    ['no nonce', { signatureHeader: SignatureHeader.encode({ creator: identity }) }],
  ];
  for (const [why, change] of hostile) {
    const bad = blockCall(identity, 7n, change);
    t.throws(() => checkBlock(bad, identity), { code: 'HSM_BLOCK_MALFORMED' }, why);
  }
});

t.test('mutated contents meet nothing but faults', async (t) => {
  const block = blockCall(identity, 7n);
  const checks: readonly (readonly [(bytes: Uint8Array) => unknown, Uint8Array])[] = [
    [checkEndorsement, endorsementPayload()],
    [checkEndorsement, lifecyclePayload(notaryDefinition())],
    [(bytes) => checkEnvelope(keyOf('relay'), bytes), relayPayload(identity)],
    [(bytes) => checkEnvelope(keyOf('ordering'), bytes), configPayload(identity)],
    [(bytes) => checkBlock({ ...block, metadataValue: bytes }, identity), block.metadataValue],
  ];
  for (const [check, valid] of checks) {
    const { escaped, refused } = fuzz(check, valid, { seed: 11, rounds: 1_500 });
    t.strictSame(escaped, []);
    t.ok(refused > 500, `${refused} refused`);
  }
});
