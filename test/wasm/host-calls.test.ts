import t from 'tap';
import { declareFaults, limits, textOf, utf8 } from '#base';
import { hostFunctions, instantiate, prepareContract } from '#wasm';
import type { HostInterface, InvokeOutcome } from '#wasm';
import { MemoryHost } from '../support/memory-host.ts';
import { buildModule, call, dataSection, i32Const } from './module-builder.ts';

const fault = declareFaults({ TEST_STATE_LOST: ['broken', 'The test lost its state.'] });
const drop = 0x1a;
const names = Object.keys(hostFunctions) as (keyof typeof hostFunctions)[];
const dataAt = 64;
const pageEnd = 65_536;

/** A module that imports the whole ABI and runs the code, with `key` in its memory at 64. */
function moduleOf(code: number[]): Uint8Array {
  const signatures = names.map((name) => hostFunctions[name]);
  const types = signatures.map(({ params, result }) => ({
    params: [...params],
    results: result === undefined ? [] : [result],
  }));
  const imports = names.map((name, index) => ({ name, type: index + 1 }));
  const sections = { 11: dataSection(dataAt, utf8('key')) };
  return buildModule({ types, imports, functions: [{ code }], sections });
}

/** Calls one host function with constant parameters; its result is dropped. */
function hostCall(name: keyof typeof hostFunctions, ...params: number[]): number[] {
  const returns = hostFunctions[name].result === undefined ? [] : [drop];
  return [...params.flatMap(i32Const), ...call(names.indexOf(name)), ...returns];
}

function run(
  code: number[],
  host: HostInterface = new MemoryHost(),
  args = ['arg'],
): InvokeOutcome {
  const instance = instantiate(prepareContract(moduleOf(code)), host);
  return instance.invoke('run', args, limits.operationGasMax);
}

t.test('every pointer that leaves the memory ends the invocation', (t) => {
  const outside = {
    ok: false,
    reason: 'trap',
    message: 'The contract passed a pointer outside its memory.',
  };
  const places: [number, number][] = [
    [pageEnd, 1],
    [pageEnd - 1, 2],
    [-1, 1],
    [0, -1],
    [-1, -1],
    [0x7fff_ffff, 0x7fff_ffff],
  ];
  for (const place of places) {
    t.match(run(hostCall('get', ...place)), outside);
    t.match(run(hostCall('put', ...place, dataAt, 3)), outside);
    t.match(run(hostCall('put', dataAt, 3, ...place)), outside);
    t.match(run(hostCall('remove', ...place)), outside);
    t.match(run(hostCall('rangeOpen', ...place, dataAt, 3, 1)), outside);
    t.match(run(hostCall('rangeOpen', dataAt, 3, ...place, 1)), outside);
    t.match(run(hostCall('sha256', ...place, 0)), outside);
    t.match(run(hostCall('emit', ...place, dataAt, 3)), outside);
    t.match(run(hostCall('emit', dataAt, 3, ...place)), outside);
    t.match(run(hostCall('setResult', ...place)), outside);
    t.match(run(hostCall('fail', ...place)), outside);
  }
  t.match(run(hostCall('sha256', 0, 0, pageEnd - 31)), outside);
  t.match(run([...hostCall('arg', 0), ...hostCall('read', pageEnd - 2)]), outside);
  t.match(run([...hostCall('arg', 0), ...hostCall('read', -2)]), outside);
  t.end();
});

t.test('the last bytes of the memory are inside it', (t) => {
  t.equal(run([...hostCall('arg', 0), ...hostCall('read', pageEnd - 3)]).ok, true);
  t.equal(run(hostCall('sha256', 0, pageEnd, pageEnd - 32)).ok, true);
  t.equal(run(hostCall('setResult', pageEnd, 0)).ok, true);
  t.end();
});

t.test('an argument, a range or a position that does not exist ends the invocation', (t) => {
  const message = (code: number[]) => {
    const outcome = run(code);
    return outcome.ok ? 'ok' : outcome.message;
  };
  t.equal(message(hostCall('arg', 1)), 'The contract asked for an argument that was not given.');
  t.equal(message(hostCall('arg', -1)), 'The contract asked for an argument that was not given.');
  const notOpen = 'The contract used a range that is not open.';
  const open = hostCall('rangeOpen', 0, 0, 0, 0, 1);
  t.equal(message(hostCall('rangeNext', 1)), notOpen);
  t.equal(message(hostCall('rangeClose', 0)), notOpen);
  t.equal(message([...open, ...hostCall('rangeValue', 1)]), notOpen);
  t.equal(message([...open, ...hostCall('rangeNext', 1), ...hostCall('rangeNext', 1)]), notOpen);
  t.equal(message([...open, ...hostCall('rangeClose', 1), ...hostCall('rangeClose', 1)]), notOpen);
  t.equal(message([...open, ...hostCall('rangeClose', 1)]), 'ok');
  t.end();
});

t.test('what the host throws as a fault fails this invocation and not the next', (t) => {
  const host = new MemoryHost();
  const instance = instantiate(prepareContract(moduleOf(hostCall('get', dataAt, 3))), host);
  instance.host = {
    ...methodsOf(host),
    get: () => {
      throw fault('TEST_STATE_LOST');
    },
  };
  const outcome = instance.invoke('run', [], limits.operationGasMax);
  t.match(outcome, { ok: false, reason: 'host', message: 'TEST_STATE_LOST' });
  t.match(outcome, { cause: { kind: 'broken' } });
  instance.host = host;
  t.equal(instance.invoke('run', [], limits.operationGasMax).ok, true);
  t.end();
});

t.test('what the host throws by mistake is not taken for an outcome of the contract', (t) => {
  const host = {
    ...methodsOf(new MemoryHost()),
    get: () => {
      throw new TypeError('a mistake');
    },
  };
  const instance = instantiate(prepareContract(moduleOf(hostCall('get', dataAt, 3))), host);
  t.throws(() => instance.invoke('run', [], limits.operationGasMax), { message: 'a mistake' });
  instance.host = new MemoryHost();
  t.equal(instance.invoke('run', [], limits.operationGasMax).ok, true);
  t.end();
});

t.test('a machine without stack is not taken for a contract that calls too deeply', (t) => {
  const host = { ...methodsOf(new MemoryHost()), get: (): undefined => overflow() };
  const instance = instantiate(prepareContract(moduleOf(hostCall('get', dataAt, 3))), host);
  t.throws(() => instance.invoke('run', [], limits.operationGasMax), {
    code: 'WASM_HOST_EXHAUSTED',
  });
  t.end();
});

t.test('what a failing contract did before reaches the host, whose part it is to undo it', (t) => {
  const host = new MemoryHost();
  const code = [
    ...hostCall('put', dataAt, 3, dataAt, 3),
    ...hostCall('emit', dataAt, 3, dataAt, 3),
    ...hostCall('fail', dataAt, 3),
  ];
  t.match(run(code, host), { ok: false, reason: 'failed', message: 'key' });
  t.equal(host.state.size, 1);
  t.equal(host.events.length, 1);
  t.end();
});

t.test(
  'written bytes are a copy: what the contract does to its memory later does not reach them',
  (t) => {
    const host = new MemoryHost();
    const overwrite = [...i32Const(dataAt), ...i32Const(0), 0x36, 0, 0];
    const code = [
      ...hostCall('put', dataAt, 3, dataAt, 3),
      ...hostCall('emit', dataAt, 3, dataAt, 3),
      ...hostCall('setResult', dataAt, 3),
      ...overwrite,
    ];
    const outcome = run(code, host);
    t.equal(outcome.ok && textOf(outcome.result), 'key');
    t.equal(textOf(host.state.get('key') ?? new Uint8Array()), 'key');
    t.equal(textOf(host.events[0]?.payload ?? new Uint8Array()), 'key');
    t.end();
  },
);

t.test('state that is written or read is paid for by its length', (t) => {
  const put = (bytes: number) => run(hostCall('put', dataAt, 3, 0, bytes)).gasUsed;
  t.equal(put(10_000) - put(1), 9_999);
  const get = (bytes: number) => {
    const host = new MemoryHost();
    host.put('key', new Uint8Array(bytes));
    return run(hostCall('get', dataAt, 3), host).gasUsed;
  };
  t.equal(get(8_000) - get(8), 999);
  t.end();
});

t.test('no host call that a contract can repeat is free', (t) => {
  const host = new MemoryHost();
  host.put('key', utf8('value'));
  const open = hostCall('rangeOpen', 0, 0, 0, 0, 9);
  const calls: [keyof typeof hostFunctions, number[], number[]][] = [
    ['argCount', [], []],
    ['arg', [0], []],
    ['read', [0], []],
    ['get', [dataAt, 3], []],
    ['remove', [dataAt, 2], []],
    ['rangeNext', [1], open],
    ['rangeValue', [1], [...open, ...hostCall('rangeNext', 1)]],
    ['rangeClose', [1], open],
    ['clientId', [], []],
    ['clientMspId', [], []],
    ['requestId', [], []],
    ['timeMs', [], []],
    ['sha256', [0, 0, 0], []],
    ['emit', [dataAt, 3, 0, 0], []],
    ['setResult', [0, 0], []],
    ['transient', [0, 0], []],
  ];
  for (const [name, params, before] of calls) {
    const without = run(before, host).gasUsed;
    const { gasUsed } = run([...before, ...hostCall(name, ...params)], host);
    t.ok(gasUsed - without >= 100, `${name} costs ${gasUsed - without}`);
  }
  t.end();
});

t.test('a host call that costs more than is left stops before it does anything', (t) => {
  const host = new MemoryHost();
  const instance = instantiate(
    prepareContract(moduleOf(hostCall('put', dataAt, 3, 0, 5_000))),
    host,
  );
  t.match(instance.invoke('run', [], 6_000), { ok: false, reason: 'gas', gasUsed: 6_000 });
  t.equal(host.state.size, 0);
  t.equal(instance.invoke('run', [], 6_100).ok, true);
  t.equal(host.state.size, 1);
  t.end();
});

/** The host's methods as plain functions, so that a test can replace one. */
function methodsOf(host: MemoryHost): HostInterface {
  return {
    get: (key) => host.get(key),
    put: (key, value) => host.put(key, value),
    delete: (key) => host.delete(key),
    range: (start, end, limit) => host.range(start, end, limit),
    clientId: () => host.clientId(),
    clientMspId: () => host.clientMspId(),
    requestId: () => host.requestId(),
    timeMs: () => host.timeMs(),
    transient: (name) => host.transient(name),
    emit: (name, payload) => host.emit(name, payload),
  };
}

function overflow(): undefined {
  return overflow();
}
