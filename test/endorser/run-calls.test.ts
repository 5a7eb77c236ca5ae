import t from 'tap';
import { limits, textOf, utf8 } from '#base';
import { ApplicationPolicy, definitionWrites, parseRwSet } from '#formats';
import { ContractCode } from '../../endorser/contract-code.ts';
import type { HeightedSource } from '../../endorser/run-bundle.ts';
import { runCalls } from '../../endorser/run-calls.ts';
import type { CallResult, ContractCall } from '../../endorser/simulation-messages.ts';
import { compiledContract } from '../support/compiled-contract.ts';

const contracts = new ContractCode();
const version = { blockNum: 1n, txNum: 0n };
const state = stateOf(await compiledContract('samples'));

/** A world state at height 5 with the contract and nothing else. */
function stateOf(code: Uint8Array): HeightedSource {
  const applicationPolicy = ApplicationPolicy.encode({
    channelConfigPolicyReference: '/Channel/Application/Endorsement',
  });
  const definition = { name: 'samples', version: '2.1', sequence: 1n, applicationPolicy };
  const rows = new Map(definitionWrites(definition, code).map(({ key, value }) => [key, value]));
  return {
    height: 5n,
    get: (namespace, key) => {
      const value = namespace === '_lifecycle' ? rows.get(key) : undefined;
      return value && { value, version };
    },
    range: () => [],
  };
}

function call(name: string, ...args: string[]): ContractCall {
  const request = {
    requestId: '0a'.repeat(32),
    clientId: 'Org1MSP::CN=alice',
    clientMspId: 'Org1MSP',
    clientIsAdmin: false,
    operations: [{ function: name, args }],
  };
  return { contract: 'samples', timeMs: 1_000n, request, transient: new Map() };
}

function run(...calls: ContractCall[]): CallResult[] {
  return runCalls({ heightMin: 5n, calls }, state, contracts);
}

function answered(result: CallResult | undefined): CallResult & { ok: true } {
  if (result?.ok !== true) throw new Error(JSON.stringify(result));
  return result;
}

t.test('calls of one job know nothing of what the others write', async (t) => {
  const results = run(call('increment', 'hits'), call('increment', 'hits')).map(answered);
  t.same(
    results.map(({ response }) => [response.status, textOf(response.payload)]),
    [
      [200, '1'],
      [200, '1'],
    ],
  );
  for (const { readWriteSet, contractVersion } of results) {
    const [namespace, ...others] = parseRwSet(readWriteSet).namespaces;
    t.same(others, []);
    t.same(namespace?.reads, [{ key: 'hits', version: undefined }]);
    t.same(
      namespace?.writes.map(({ key, value }) => [key, textOf(value)]),
      [['hits', '1']],
    );
    t.equal(contractVersion, '2.1');
  }
});

t.test('a contract that refuses answers as Fabric’s contracts do', async (t) => {
  const { response } = answered(run(call('get', 'nothing'))[0]);
  t.same(response, { status: 500, message: 'There is no such key.', payload: new Uint8Array(0) });
});

t.test('one call that cannot be run costs the others nothing', async (t) => {
  const [first, second] = run({ ...call('get', 'a'), contract: 'unheard' }, call('increment', 'a'));
  t.match(first, { ok: false, code: 'ENDORSER_CONTRACT_UNKNOWN', kind: 'absent' });
  t.equal(answered(second).response.status, 200);
});

t.test('of several events the last one counts', async (t) => {
  const { event } = answered(run(call('emits', '3'))[0]);
  t.equal(event?.name, 'counted');
  t.equal(textOf(event?.payload ?? utf8('none')), '1');
  t.equal(answered(run(call('increment', 'a'))[0]).event, undefined);
});

t.test('a contract sees its client, its transaction and what was sent beside', async (t) => {
  const { response } = answered(run(call('who'))[0]);
  t.equal(textOf(response.payload), `Org1MSP::CN=alice Org1MSP ${'0a'.repeat(32)} 1000`);
  const whispered = { ...call('whispered', 'price'), transient: new Map([['price', utf8('7')]]) };
  t.equal(textOf(answered(run(whispered)[0]).response.payload), '1');
  t.equal(textOf(answered(run(call('whispered', 'price'))[0]).response.payload), 'nothing');
});

t.test('a call that writes or answers too much fails alone', async (t) => {
  const bytes = limits.stateValueBytesMax / 2;
  const keys = Math.ceil(limits.requestOutputBytesMax / bytes) + 1;
  const tooMuch = call('putMany', String(keys), String(bytes));
  const [first, second] = run(tooMuch, call('increment', 'a'));
  t.match(first, { ok: false, code: 'ENDORSER_OUTPUT_TOO_LARGE' });
  t.ok(second?.ok);
});

t.test('calls past the output of a job are put off, the first one never', async (t) => {
  const bytes = limits.stateValueBytesMax / 2;
  const fitting = Math.ceil(limits.proposalOutputBytesMax / bytes);
  const calls = Array.from({ length: fitting + 2 }, () => call('putMany', '1', String(bytes)));
  const results = run(...calls);
  t.ok(results[0]?.ok);
  const last = results.at(-1);
  t.match(last, { ok: false, code: 'ENDORSER_BUNDLE_FULL', kind: 'busy' });
});

t.test('a state that is behind runs nothing', async (t) => {
  t.throws(() => runCalls({ heightMin: 6n, calls: [call('who')] }, state, contracts), {
    code: 'ENDORSER_HEIGHT_BEHIND',
  });
});
