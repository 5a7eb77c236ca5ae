import t from 'tap';
import { emptyBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ApplicationPolicy,
  ChaincodeValidationInfo,
  StateData,
  StateMetadata,
  checkLifecycleWrites,
  definitionWrites,
  isContractName,
  lifecycleKeys,
  readDefinition,
} from '#formats';
import type { ContractDefinition, DefinitionField, KvWrite, SignaturePolicy } from '#formats';

const reference = '/Channel/Application/Endorsement';
const applicationPolicy = ApplicationPolicy.encode({ channelConfigPolicyReference: reference });
const definition: ContractDefinition = {
  name: 'notary',
  version: '1.0',
  sequence: 1n,
  applicationPolicy,
};
const code = utf8('\0asm');

function stateOf(writes: readonly KvWrite[]) {
  const state = new Map(writes.map(({ key, value }) => [key, value]));
  return (key: string) => state.get(key);
}

t.test('a definition is written in the bytes Fabric writes', async (t) => {
  const written = definitionWrites(definition).map(({ key, value }) => [key, toHex(value)]);
  const hex = (text: string) => toHex(utf8(text));
  const policy = `1220${hex(reference)}`;
  t.strictSame(written, [
    [
      'namespaces/metadata/notary',
      `0a13${hex('ChaincodeDefinition')}1208${hex('Sequence')}120f${hex('EndorsementInfo')}` +
        `120e${hex('ValidationInfo')}120b${hex('Collections')}`,
    ],
    ['namespaces/fields/notary/Sequence', '0801'],
    ['namespaces/fields/notary/EndorsementInfo', `120b0a03${hex('1.0')}1a04${hex('escc')}`],
    ['namespaces/fields/notary/ValidationInfo', `122a0a04${hex('vscc')}1222${policy}`],
    ['namespaces/fields/notary/Collections', '1200'],
  ]);
});

t.test('code is stored under its hash, and the contract names it', async (t) => {
  const writes = definitionWrites(definition, code);
  const get = stateOf(writes);
  t.equal(writes.length, 7);
  t.strictSame(get(`countersign/code/${toHex(sha256(code))}`), code);
  t.strictSame(get('countersign/contract/notary'), sha256(code));
  const again = definitionWrites({ ...definition, codeHash: sha256(code) });
  t.equal(again.length, 6, 'code that is in the state already is only named');
});

t.test('a definition reads back from the state', async (t) => {
  const stored = readDefinition('notary', stateOf(definitionWrites(definition, code)));
  t.strictSame(stored, {
    ...definition,
    codeHash: sha256(code),
    endorsementPlugin: 'escc',
    validationPlugin: 'vscc',
    initRequired: false,
  });
  t.equal(
    readDefinition('notary', () => undefined),
    undefined,
  );
});

t.test('absent fields read as empty and another arm is an error, as in a stock peer', async (t) => {
  const [metadata, ...fields] = definitionWrites(definition);
  if (metadata === undefined) throw new Error('metadata is missing');
  t.match(readDefinition('notary', stateOf([metadata])), { sequence: 0n, validationPlugin: '' });
  for (const { key } of fields) {
    const arm = key.endsWith('Sequence') ? { string: '1' } : { int64: 1n };
    const state = stateOf([metadata, { key, isDelete: false, value: StateData.encode(arm) }]);
    t.throws(() => readDefinition('notary', state), { code: 'FORMATS_DEFINITION_INVALID' }, key);
  }
  const foreign = { ...metadata, value: StateMetadata.encode({ datatype: 'Other' }) };
  t.throws(() => readDefinition('notary', stateOf([foreign])), {
    code: 'FORMATS_DEFINITION_INVALID',
  });
});

t.test('whole definitions pass the check, several at once, with and without code', async (t) => {
  checkLifecycleWrites([]);
  checkLifecycleWrites(definitionWrites(definition));
  checkLifecycleWrites(definitionWrites(definition, code).toReversed());
  checkLifecycleWrites(definitionWrites({ ...definition, codeHash: sha256(code) }));
  checkLifecycleWrites([
    ...definitionWrites(definition),
    ...definitionWrites({ ...definition, name: 'deeds' }),
  ]);
  t.doesNotThrow(() => checkLifecycleWrites(withPolicy(twoOfThree({ n: 2, last: 2 }))));
});

t.test('a write that could stop a stock peer is refused', async (t) => {
  const field = (name: DefinitionField, data: Partial<StateData>) =>
    replaced(lifecycleKeys.field('notary', name), StateData.encode(data));
  const metadata = (value: Parameters<typeof StateMetadata.encode>[0]) =>
    replaced(lifecycleKeys.metadata('notary'), StateMetadata.encode(value));
  const fields = ['Sequence', 'EndorsementInfo', 'ValidationInfo', 'Collections'];
  const validation = (validationPlugin: string, validationParameter: Uint8Array) =>
    field('ValidationInfo', {
      bytes: ChaincodeValidationInfo.encode({ validationPlugin, validationParameter }),
    });
  const writes = definitionWrites(definition, code);
  const refused: Record<string, KvWrite[]> = {
    'another datatype': metadata({ datatype: 'Chaincode', fields }),
    'fewer fields': metadata({ datatype: 'ChaincodeDefinition', fields: fields.slice(1) }),
    'sequence zero': field('Sequence', { int64: 0n }),
    'sequence negative': field('Sequence', { int64: -1n }),
    'sequence as text': field('Sequence', { string: '1' }),
    'no sequence': field('Sequence', {}),
    'info as number': field('EndorsementInfo', { int64: 1n }),
    'info without plugin': field('EndorsementInfo', { bytes: emptyBytes }),
    'unknown validation plugin': validation('mine', applicationPolicy),
    'no policy': validation('vscc', emptyBytes),
    'policy outside the channel': validation(
      'vscc',
      ApplicationPolicy.encode({ channelConfigPolicyReference: 'Endorsement' }),
    ),
    'policy signed by nobody known': withPolicy(twoOfThree({ n: 2, last: 3 })),
    'policy nobody can meet': withPolicy(twoOfThree({ n: 4, last: 2 })),
    'policy met by nothing': withPolicy(twoOfThree({ n: 0, last: 2 })),
    'policy of an empty rule': withPolicy({ signedBy: undefined, nOutOf: undefined }),
    'collections of something': field('Collections', { bytes: utf8('x') }),
    'collections absent': replaced(lifecycleKeys.field('notary', 'Collections'), emptyBytes),
    'code under another hash': replaced(lifecycleKeys.code(sha256(code)), utf8('other')),
    'short code hash': replaced(lifecycleKeys.contract('notary'), utf8('hash')),
    'a key of nobody': [...writes, write('countersign/other', code)],
    'a field of nobody': [...writes, write('namespaces/fields/notary/Other', code)],
    'a contract without definition': [write(lifecycleKeys.contract('notary'), sha256(code))],
    'a delete': [{ key: lifecycleKeys.metadata('notary'), isDelete: true, value: emptyBytes }],
    'a key twice': [...writes, ...writes.slice(0, 1)],
    'a bad name': definitionWrites({ ...definition, name: 'no/tary' }),
    'a system name': definitionWrites({ ...definition, name: 'lscc' }),
    'a bad version': definitionWrites({ ...definition, version: 'one two' }),
  };
  for (const [why, hostile] of Object.entries(refused)) {
    t.throws(() => checkLifecycleWrites(hostile), { code: 'FORMATS_DEFINITION_INVALID' }, why);
  }
  for (const missing of definitionWrites(definition)) {
    const rest = definitionWrites(definition).filter(({ key }) => key !== missing.key);
    t.throws(
      () => checkLifecycleWrites(rest),
      { code: 'FORMATS_DEFINITION_INVALID' },
      `without ${missing.key}`,
    );
  }
});

t.test('a value with bytes behind it is not canonical', async (t) => {
  const sequence = lifecycleKeys.field('notary', 'Sequence');
  const padded = replaced(sequence, Uint8Array.of(8, 1, 0x20, 1));
  t.throws(() => checkLifecycleWrites(padded), { code: 'FORMATS_PROTOBUF_NOT_CANONICAL' });
});

t.test('contract names are those that Fabric takes', async (t) => {
  for (const name of ['a', 'notary', 'my-deeds_2', '7']) t.ok(isContractName(name), name);
  for (const name of ['', '_lifecycle', 'a/b', 'a--b', '-a', 'a.b', 'qscc', 'x'.repeat(65)]) {
    t.notOk(isContractName(name), name);
  }
});

/** The whole definition with one value exchanged. */
function replaced(key: string, value: Uint8Array): KvWrite[] {
  return definitionWrites(definition, code).map((one) =>
    one.key === key ? { ...one, value } : one,
  );
}

function withPolicy(rule: SignaturePolicy): KvWrite[] {
  const principal = { principalClassification: 0, principal: utf8('role') };
  const signaturePolicy = { version: 0, rule, identities: [principal, principal, principal] };
  const policy = ApplicationPolicy.encode({ signaturePolicy });
  return definitionWrites({ ...definition, applicationPolicy: policy });
}

function twoOfThree({ n, last }: { n: number; last: number }): SignaturePolicy {
  const rules = [0, 1, last].map((signedBy) => ({ signedBy, nOutOf: undefined }));
  return { signedBy: undefined, nOutOf: { n, rules } };
}

function write(key: string, value: Uint8Array): KvWrite {
  return { key, isDelete: false, value };
}
