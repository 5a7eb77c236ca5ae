import t from 'tap';
import { limits, textOf } from '#base';
import { ApplicationPolicy, definitionWrites, parseRwSet } from '#formats';
import { builtInContract } from '#wasm';
import { ContractCode } from '../../endorser/contract-code.ts';
import { runBundle } from '../../endorser/run-bundle.ts';
import type { HeightedSource } from '../../endorser/run-bundle.ts';
import type { SimulatedRequest, SimulationJob } from '../../endorser/simulation-messages.ts';
import { compiledContract } from '../support/compiled-contract.ts';

const version = { blockNum: 1n, txNum: 0n };
const policy = ApplicationPolicy.encode({
  channelConfigPolicyReference: '/Channel/Application/Endorsement',
});
const contracts = new ContractCode();

/** A world state that holds one deployed contract. */
function stateWith(name: string, code: Uint8Array): HeightedSource {
  const definition = { name, version: '1.0', sequence: 1n, applicationPolicy: policy };
  const rows = new Map(definitionWrites(definition, code).map(({ key, value }) => [key, value]));
  return {
    height: 2n,
    get: (namespace, key) => {
      const value = namespace === '_lifecycle' ? rows.get(key) : undefined;
      return value && { value, version };
    },
    range: () => [],
  };
}

function request(id: number, ...operations: [string, ...string[]][]): SimulatedRequest {
  return {
    requestId: String(id).padStart(64, '0'),
    clientId: 'Org1MSP::CN=alice',
    clientMspId: 'Org1MSP',
    clientIsAdmin: false,
    operations: operations.map(([name, ...args]) => ({ function: name, args })),
  };
}

function job(contract: string, ...requests: SimulatedRequest[]): SimulationJob {
  return { contract, height: 2n, timeMs: 1_000n, requests };
}

function writtenKeys(readWriteSet: Uint8Array): string[] {
  const { namespaces } = parseRwSet(readWriteSet);
  return namespaces.flatMap(({ writes }) => writes.map(({ key }) => key));
}

t.test('updates of one hot key in one bundle all count', async (t) => {
  const state = stateWith('samples', await compiledContract('samples'));
  const requests = [1, 2, 3].map((id) => request(id, ['increment', 'hits']));
  const { results, readWriteSet } = runBundle(job('samples', ...requests), state, contracts);
  t.same(
    results.map(({ status, payloads }) => [status, ...payloads.map(textOf)]),
    [
      [200, '1'],
      [200, '2'],
      [200, '3'],
    ],
  );
  t.same(writtenKeys(readWriteSet), ['hits']);
});

t.test('a request that fails is rolled back alone, with all its operations', async (t) => {
  const state = stateWith('samples', await compiledContract('samples'));
  const { results, readWriteSet } = runBundle(
    job(
      'samples',
      request(1, ['increment', 'a']),
      request(2, ['increment', 'b'], ['nothing of this name']),
      request(3, ['increment', 'c']),
    ),
    state,
    contracts,
  );
  t.same(
    results.map(({ status, code }) => [status, code]),
    [
      [200, ''],
      [422, 'ENDORSER_CONTRACT_FAILED'],
      [200, ''],
    ],
  );
  t.same(writtenKeys(readWriteSet), ['a', 'c']);
});

t.test('the same bundle gives the same bytes in another endorser', async (t) => {
  const state = stateWith('notary', await builtInContract('notary'));
  const deposits = [1, 2].map((id) =>
    request(id, ['deposit', String(id).repeat(64), 'a name', 'text/plain']),
  );
  const runs = [new ContractCode(), new ContractCode()].map((code) =>
    runBundle(job('notary', ...deposits), state, code),
  );
  t.same(runs[0], runs[1]);
  t.equal(runs[0]?.events.length, 2);
});

t.test('a simulation at another height than the task’s is refused', async (t) => {
  const state = { ...stateWith('notary', await builtInContract('notary')), height: 3n };
  t.throws(() => runBundle(job('notary', request(1)), state, contracts), {
    code: 'ENDORSER_HEIGHT_BEHIND',
  });
});

t.test('a contract that is not deployed is refused by its name', async (t) => {
  const state = stateWith('notary', await builtInContract('notary'));
  t.throws(() => runBundle(job('seal', request(1)), state, contracts), {
    code: 'ENDORSER_CONTRACT_UNKNOWN',
  });
});

t.test('a request that writes too much fails alone, one too late waits for the next', async (t) => {
  const state = stateWith('samples', await compiledContract('samples'));
  const big = (key: string): [string, ...string[]] => [
    'putOf',
    key,
    String(limits.stateValueBytesMax / 2),
  ];
  const each = Math.floor(limits.requestOutputBytesMax / (limits.stateValueBytesMax / 2));
  const tooMuch = request(1, ...Array.from({ length: each + 1 }, (_none, at) => big(`a${at}`)));
  const alone = runBundle(job('samples', tooMuch), state, contracts);
  t.match(alone.results[0], { status: 413, code: 'ENDORSER_OUTPUT_TOO_LARGE' });
  t.same(writtenKeys(alone.readWriteSet), []);
  const fits = Math.floor(limits.bundleOutputBytesMax / (limits.stateValueBytesMax / 2)) - 1;
  const fill = Array.from({ length: fits + 1 }, (_none, at) => request(at, big(`b${at}`)));
  t.throws(() => runBundle(job('samples', ...fill), state, contracts), {
    code: 'ENDORSER_BUNDLE_FULL',
    detail: { requestIndex: fits },
  });
});
