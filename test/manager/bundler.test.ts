import t from 'tap';
import { limits } from '#base';
import { Bundler } from '../../manager/bundler.ts';
import type { AdmittedRequest } from '../../manager/pipeline-types.ts';

/** As much of a request as bundling looks at. */
function entry(name: string, contract = 'notary', operations = 1, bytes = 100) {
  const request = {
    payload: { contract, operations: Array.from({ length: operations }, () => ({})) },
    bytes: new Uint8Array(bytes),
  };
  return { name, admitted: { request } as unknown as AdmittedRequest };
}

function names(cuts: { entries: { name: string }[] }[]): string[][] {
  return cuts.map((cut) => cut.entries.map((one) => one.name));
}

t.test('requests of one contract share a bundle, in their order', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(500);
  for (const name of ['1', '2', '3']) bundler.add(entry(name));
  bundler.add(entry('other', 'seal'));
  t.same(names(bundler.cut()), [['1', '2', '3'], ['other']]);
  t.equal(bundler.depth, 0);
});

t.test('a full bundle leaves the rest for the next wave', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(2);
  for (const name of ['1', '2', '3']) bundler.add(entry(name));
  t.same(names(bundler.cut()), [['1', '2']]);
  t.same(names(bundler.cut()), [['3']]);
});

t.test('with bundles of one each request has a transaction of its own', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(1);
  for (const name of ['1', '2', '3']) bundler.add(entry(name));
  t.same(names(bundler.cut()), [['1'], ['2'], ['3']]);
});

t.test('operations and bytes bound a bundle, but any single request fits', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(500);
  const many = Math.ceil(limits.bundleOperationsMax / 2) + 1;
  bundler.add(entry('1', 'notary', many));
  bundler.add(entry('2', 'notary', many));
  bundler.add(entry('3', 'notary', 1, limits.bundleBytesMax));
  t.same(names(bundler.cut()), [['1']]);
  t.same(names(bundler.cut()), [['2']]);
  t.same(names(bundler.cut()), [['3']]);
});

t.test('what comes back goes out first, and its contract waits for it', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(2);
  for (const name of ['1', '2', '3', '4']) bundler.add(entry(name));
  const [first] = bundler.cut();
  bundler.giveBack(first?.entries ?? []);
  t.equal(bundler.depth, 4);
  t.same(names(bundler.cut()), [['1', '2']]);
  t.same(names(bundler.cut()), [['3', '4']]);
});

t.test('requests that keep conflicting in a wave each have their turn alone', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry> & { conflicts: number }>(1);
  const conflicting = (name: string, conflicts: number) => ({ ...entry(name), conflicts });
  bundler.giveBack(['1', '2', '3'].map((name) => conflicting(name, 2)));
  t.same(names(bundler.cut()), [['1'], ['2'], ['3']], 'side by side as long as that may help');
  bundler.giveBack(['1', '2', '3'].map((name) => conflicting(name, 3)));
  bundler.add(conflicting('4', 0));
  t.same(names(bundler.cut()), [['1']]);
  t.same(names(bundler.cut()), [['2']]);
  t.equal(bundler.depth, 2);
  t.same(names(bundler.cut()), [['3']]);
  t.same(names(bundler.cut()), [['4']]);
});

t.test('a contract whose requests conflict holds up no other', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry> & { conflicts: number }>(1);
  bundler.giveBack(['1', '2'].map((name) => ({ ...entry(name), conflicts: 9 })));
  for (const name of ['a', 'b']) bundler.add({ ...entry(name, 'seal'), conflicts: 0 });
  t.same(names(bundler.cut()), [['1'], ['a'], ['b']]);
});

t.test('past its depth the queue refuses at once and keeps nothing', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(500);
  for (let count = 0; count < limits.requestQueueDepthMax; count += 1) bundler.add(entry('x'));
  t.throws(() => bundler.add(entry('y')), { code: 'MANAGER_QUEUE_FULL' });
  t.equal(bundler.depth, limits.requestQueueDepthMax);
});

t.test('past its bytes the queue refuses at once', async (t) => {
  const bundler = new Bundler<ReturnType<typeof entry>>(500);
  const large = { ...entry('x'), size: 0 };
  large.admitted.request.bytes = { length: limits.requestQueueBytesMax } as Uint8Array;
  bundler.add(large);
  t.throws(() => bundler.add(entry('y')), { code: 'MANAGER_QUEUE_FULL' });
});
