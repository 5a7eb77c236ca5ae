import t from 'tap';
import { limits, textOf, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { instantiate, prepareContract } from '#wasm';
import { compiledContract } from '../support/compiled-contract.ts';
import { MemoryHost } from '../support/memory-host.ts';

const prepared = prepareContract(await compiledContract('samples'));

/** One host and one instance, used again and again as an endorser does. */
const host = new MemoryHost();
const instance = instantiate(prepared, host);

function call(name: string, ...args: string[]): string {
  const outcome = instance.invoke(name, args, limits.operationGasMax);
  return outcome.ok ? textOf(outcome.result) : `${outcome.reason}: ${outcome.message}`;
}

t.beforeEach(() => {
  host.state.clear();
  host.events.length = 0;
});

t.test('arguments arrive as they were sent, whatever their characters', (t) => {
  const sent = ['', 'plain', 'quote " and \\', 'tab\tand \u0000', 'ümläut', '漢字', '🦊'];
  t.same(JSON.parse(call('args', ...sent)), sent);
  t.equal(call('args'), '[]');
  t.end();
});

t.test('a contract sees the identity, the request and the time that the host gives', (t) => {
  t.equal(call('who'), `Org1MSP::CN=alice Org1MSP ${'00'.repeat(32)} 1700000000000`);
  t.end();
});

t.test('a contract reads what was sent beside its arguments, and only that', (t) => {
  host.transientMap.set('price', utf8('secret'));
  t.equal(call('whispered', 'price'), '6');
  t.equal(call('whispered', 'other'), 'nothing');
  host.transientMap.clear();
  t.equal(call('whispered', 'price'), 'nothing');
  t.end();
});

t.test('the host digests with SHA-256', (t) => {
  for (const text of ['', 'abc', 'x'.repeat(10_000)]) {
    t.equal(call('digest', text), toHex(sha256(utf8(text))));
  }
  t.end();
});

t.test('state is put, got and removed', (t) => {
  t.equal(call('get', 'a'), 'failed: There is no such key.');
  t.equal(call('put', 'a', 'väl'), '');
  t.equal(call('get', 'a'), 'väl');
  t.equal(call('remove', 'a'), '');
  t.equal(call('remove', 'a'), 'failed: There is no such key.');
  t.equal(host.state.size, 0);
  t.end();
});

t.test('a counter counts through its state only', (t) => {
  for (let count = 1; count <= 20; count += 1) t.equal(call('increment', 'hot'), String(count));
  t.end();
});

t.test('a range gives keys in order, from start to before end, up to its limit', (t) => {
  for (const key of ['b', 'a', 'd', 'c', 'é']) host.put(key, utf8(key.toUpperCase()));
  t.equal(call('list', '', '', '1000', '99'), 'a=A,b=B,c=C,d=D,é=É');
  t.equal(call('list', 'b', 'd', '1000', '99'), 'b=B,c=C');
  t.equal(call('list', '', '', '2', '99'), 'a=A,b=B');
  t.equal(call('list', '', '', '1000', '1'), 'a=A');
  t.equal(call('list', 'x', '', '5', '9'), 'é=É');
  t.end();
});

t.test('a range that is left early is closed, by the contract or after it', (t) => {
  let closed = 0;
  const open = host.range.bind(host);
  t.teardown(() => delete (host as Partial<MemoryHost>).range);
  host.range = function* watched(start, end, limit) {
    try {
      yield* open(start, end, limit);
    } finally {
      closed += 1;
    }
  };
  for (const key of ['a', 'b', 'c']) host.put(key, utf8('v'));
  t.equal(call('list', '', '', '9', '1'), 'a=v');
  t.equal(closed, 1);
  t.end();
});

t.test('no range is open twice and only so many at once', (t) => {
  const max = limits.contractRangesOpenMax;
  t.equal(call('openRanges', String(max)), '');
  t.equal(call('openRanges', String(max)), '');
  t.equal(call('openRanges', String(max + 1)), 'trap: The contract has too many ranges open.');
  const refused = 'trap: The contract asked for too many or no results of a range.';
  t.equal(call('list', '', '', '0', '1'), refused);
  t.equal(call('list', '', '', '1001', '1'), refused);
  t.end();
});

t.test('fields come back as they were packed', (t) => {
  t.equal(call('fields', 'a', '', 'ö|', 'long'.repeat(99)), `a||ö||${'long'.repeat(99)}`);
  t.end();
});

t.test('decimals are written to the last digit', (t) => {
  t.equal(call('decimals'), '0 -7 -9223372036854775808 9223372036854775807');
  t.end();
});

t.test('no variable outlives its invocation', (t) => {
  for (const name of ['first', 'second', 'third']) t.equal(call('callsSeen', name), `1 ${name}`);
  call('hog');
  t.equal(call('callsSeen', 'after'), '1 after');
  t.end();
});

t.test('gas does not depend on what the instance did before', (t) => {
  const fresh = () =>
    instantiate(prepared, host).invoke('callsSeen', ['x'], limits.operationGasMax);
  const { gasUsed } = fresh();
  for (const before of ['hog', 'recurse', 'throws', 'args', 'absent']) {
    call(before, '30');
    t.equal(instance.invoke('callsSeen', ['x'], limits.operationGasMax).gasUsed, gasUsed);
  }
  t.end();
});

t.test('a thrown error is a failure with its message', (t) => {
  t.equal(call('throws', 'I will not.'), 'failed: I will not.');
  t.equal(call('outOfBounds', '3'), 'failed: Index out of range');
  t.equal(call('list'), 'failed: The function takes 4 arguments.');
  t.end();
});

t.test('contracts that do not end, or want too much, are stopped', (t) => {
  t.equal(call('endless'), 'gas: The contract ran out of gas.');
  t.equal(call('recurse', '40'), 'gas: The contract ran out of gas.');
  t.equal(call('recurse', '1000000'), 'depth: The contract called too deeply.');
  t.equal(call('hog'), 'trap: The contract trapped.');
  t.equal(call('nothing'), 'failed: The contract has no function of this name.');
  t.equal(call('__proto__'), 'failed: The contract has no function of this name.');
  t.equal(call('_initialize'), 'failed: The contract has no function of this name.');
  t.end();
});

t.test('P16 a contract puts no empty value, which peers would take for a deletion', (t) => {
  t.equal(call('putOf', 'k', '0'), 'trap: The contract put an empty value.');
  t.equal(call('putOf', 'k', '1'), '');
  t.end();
});

t.test('keys, values, results and events have bounds', (t) => {
  t.equal(call('keyOf', String(limits.stateKeyBytesMax)), '');
  t.equal(
    call('keyOf', String(limits.stateKeyBytesMax + 1)),
    'trap: The contract used a key that is too long.',
  );
  t.equal(call('keyOf', '0'), 'trap: The contract used an empty key.');
  t.equal(call('putOf', 'k', String(limits.stateValueBytesMax)), '');
  t.equal(
    call('putOf', 'k', String(limits.stateValueBytesMax + 1)),
    'trap: The contract put a value that is too large.',
  );
  t.equal(call('loneSurrogate'), 'trap: The contract passed text that is not UTF-8.');
  t.equal(
    call('resultOf', String(limits.contractResultBytesMax)).length,
    limits.contractResultBytesMax,
  );
  t.equal(
    call('resultOf', String(limits.contractResultBytesMax + 1)),
    'trap: The contract set a result that is too large.',
  );
  t.equal(
    call('throws', 'x'.repeat(1025)),
    'trap: The contract failed with a message that is too long.',
  );
  t.end();
});

t.test('events reach the host in order and within their bounds', (t) => {
  t.equal(call('emits', '2'), '');
  t.same(
    host.events.map(({ name, payload }) => `${name} ${textOf(payload)}`),
    ['counted 2', 'counted 1'],
  );
  t.equal(call('emits', String(limits.eventsPerOperationMax)), '');
  t.equal(
    call('emits', String(limits.eventsPerOperationMax + 1)),
    'trap: The contract emitted too many events.',
  );
  t.equal(
    call('emitLarge', String(limits.eventBytesMax + 1)),
    'trap: The contract emitted an event that is too large.',
  );
  t.end();
});

t.test('a large argument makes the memory grow and the next invocation is as the first', (t) => {
  const large = 'x'.repeat(limits.argBytes);
  t.equal(call('digest', large), toHex(sha256(utf8(large))));
  t.equal(call('callsSeen', 'again'), '1 again');
  t.end();
});
