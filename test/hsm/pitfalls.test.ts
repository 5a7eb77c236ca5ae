/** What must never reach a stock peer: here no key signs it. The numbers are those of docs/FABRIC.md. */
import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import {
  ChaincodeValidationInfo,
  ConfigEnvelope,
  HashedRwSet,
  KvRwSet,
  OrdererBlockMetadata,
  StateData,
  TxReadWriteSet,
  headerHash,
  lifecycleKeys,
} from '#formats';
import type { ChaincodeAction, SignerRole } from '#formats';
import { BlockGuard } from '../../hsm/block-guard.ts';
import { checkBlock } from '../../hsm/check-block.ts';
import { checkEndorsement as checkEndorsementOf } from '../../hsm/check-endorsement.ts';
import { checkEnvelope } from '../../hsm/check-envelope.ts';
import {
  blockCall,
  configEnvelope,
  configPayload,
  endorsementPayload,
  lifecyclePayload,
  nextBlock,
  notaryDefinition,
  relayPayload,
} from './samples.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const identity = utf8('the identity');
const keyOf = (role: SignerRole) => ({ role, identity, channels: new Set(['ch']) });
const checkEndorsement = (payload: Uint8Array) => checkEndorsementOf(payload, 'Org1MSP');
const fault = { name: 'Fault' };

t.test(
  'P1 no key but the ordering one signs a configuration, and that with its update only',
  async (t) => {
    const payload = configPayload(identity);
    for (const role of ['relay', 'node', 'attestation'] as const) {
      t.throws(() => checkEnvelope(keyOf(role), payload), fault, role);
    }
    checkEnvelope(keyOf('ordering'), payload);
    const { config } = configEnvelope();
    const unfounded = configPayload(identity, { data: ConfigEnvelope.encode({ config }) });
    t.throws(() => checkEnvelope(keyOf('ordering'), unfounded), fault, 'without its update');
  },
);

const definitionWith = (key: string, value: Uint8Array) =>
  lifecyclePayload([
    ...notaryDefinition().filter((write) => write.key !== key),
    { key, isDelete: false, value },
  ]);

t.test('P2 a definition that a stock peer cannot read is not endorsed', async (t) => {
  const sequence = lifecycleKeys.field('notary', 'Sequence');
  const values: Readonly<Record<string, Uint8Array>> = {
    'no message': utf8('\u0007garbage'),
    'another arm of the oneof': StateData.encode({ bytes: utf8('1') }),
    'no arm at all': emptyBytes,
  };
  for (const [what, value] of Object.entries(values)) {
    t.throws(() => checkEndorsement(definitionWith(sequence, value)), fault, what);
  }
  const datatype = definitionWith(lifecycleKeys.metadata('notary'), utf8('Chaincode'));
  t.throws(() => checkEndorsement(datatype), fault, 'another datatype');
});

t.test('P3 a definition with a validation plugin that no peer has is not endorsed', async (t) => {
  const info = ChaincodeValidationInfo.encode({
    validationPlugin: 'mine',
    validationParameter: utf8('any'),
  });
  const key = lifecycleKeys.field('notary', 'ValidationInfo');
  const payload = definitionWith(key, StateData.encode({ bytes: info }));
  t.throws(() => checkEndorsement(payload), fault);
});

t.test('P5 two blocks of one height are not both signed', async (t) => {
  await using guard = await BlockGuard.open(temporaryDir(t));
  const first = blockCall(identity, 1n);
  const of = (call: typeof first) => ({
    channel: call.channel,
    number: call.number,
    previousHash: call.previousHash,
    headerHash: headerHash(call),
  });
  await guard.allow(of(first));
  const second = nextBlock(first, identity);
  const rival = nextBlock(first, identity, { variant: 'b' });
  await guard.allow(of(second));
  await t.rejects(guard.allow(of(rival)), { code: 'HSM_BLOCK_CONFLICT' });
});

t.test('P7 a payload with a field that nobody declared is not signed', async (t) => {
  const unknown = (payload: Uint8Array) => Uint8Array.of(...payload, 0x78, 1);
  const notCanonical = { code: 'FORMATS_PROTOBUF_NOT_CANONICAL' };
  t.throws(() => checkEnvelope(keyOf('relay'), unknown(relayPayload(identity))), notCanonical);
  t.throws(() => checkEndorsement(unknown(endorsementPayload())), notCanonical);
});

t.test('P15 a block whose metadata lacks the last configuration is not signed', async (t) => {
  const absent = blockCall(identity, 1n, { metadataValue: OrdererBlockMetadata.encode({}) });
  t.throws(() => checkBlock(absent, identity), { code: 'HSM_BLOCK_MALFORMED' });
  checkBlock(blockCall(identity, 1n), identity);
});

t.test('P26 a write to a private collection is not endorsed', async (t) => {
  const hashedWrites = [
    { keyHash: utf8('k'), isDelete: false, valueHash: utf8('v'), isPurge: false },
  ];
  const collection = {
    collectionName: 'secret',
    hashedRwset: HashedRwSet.encode({ hashedReads: [], hashedWrites, metadataWrites: [] }),
    pvtRwsetHash: emptyBytes,
  };
  const rwset = KvRwSet.encode({});
  const results = TxReadWriteSet.encode({
    nsRwset: [{ namespace: 'notary', rwset, collectionHashedRwset: [collection] }],
  });
  const action: Partial<ChaincodeAction> = { results };
  const denied = { code: 'HSM_NAMESPACE_DENIED' };
  t.throws(() => checkEndorsement(endorsementPayload({ action })), denied);
});

t.test('P27 a contract sets no policy of a key, in whatever block', async (t) => {
  const entries = [{ name: 'VALIDATION_PARAMETER', value: emptyBytes }];
  const rwset = { metadataWrites: [{ key: 'a', entries }] };
  t.throws(() => checkEndorsement(endorsementPayload({ rwset })), fault);
});
