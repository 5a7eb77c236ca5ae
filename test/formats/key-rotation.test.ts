import t from 'tap';
import { Fault } from '#base';
import { checkRotationWrites, lifecycleKeys, verifyRotation, versionLabel } from '#formats';
import { SeededRandom } from './random.ts';
import { newVersion, rotationRecord } from './rotation-sample.ts';
import type { Version } from './rotation-sample.ts';

const first = await newVersion();
const second = await newVersion();
const record = (
  changes: Parameters<typeof rotationRecord>[2] = {},
  signers: readonly [Version, Version] = [first, second],
) => rotationRecord(first, second, changes, signers);

t.test('a record that both keys signed says which version takes whose place', async (t) => {
  const { old, next } = verifyRotation(record());
  t.match(old, { version: 1, label: 'node0.org1' });
  t.match(next, { version: 2, label: versionLabel('node0.org1', 2) });
});

t.test('a record that one of the keys did not sign is refused', async (t) => {
  const third = await newVersion();
  for (const signers of [
    [third, second],
    [first, third],
    [second, first],
  ] as [Version, Version][]) {
    t.throws(() => verifyRotation(record({}, signers)), { code: 'FORMATS_ROTATION_INVALID' });
  }
});

t.test('a record that contradicts itself is refused, however well signed', async (t) => {
  const other = await newVersion('node0.org2');
  const wrong: [string, Uint8Array][] = [
    ['another subject', record({ newCertificate: other.pem }, [first, other])],
    ['the same key', record({ newCertificate: first.pem }, [first, first])],
    ['a first version', record({ version: 1 })],
    ['no role of a key', record({ role: 'admin' })],
    ['a name with a version', record({ key: 'node0.org1~2' })],
    ['half a hash', record({ order: new Uint8Array(16) })],
  ];
  for (const [what, bytes] of wrong) {
    t.throws(() => verifyRotation(bytes), { code: 'FORMATS_ROTATION_INVALID' }, what);
  }
});

t.test('a signer host takes one record under its own name, and nothing beside it', async (t) => {
  const write = { key: lifecycleKeys.rotation('node0.org1'), isDelete: false, value: record() };
  const rwset = { reads: [], rangeQueriesInfo: [], metadataWrites: [] };
  t.doesNotThrow(() => checkRotationWrites({ ...rwset, writes: [write] }));
  const elsewhere = { ...write, key: lifecycleKeys.rotation('node0.org2') };
  for (const writes of [[elsewhere], [write, write], [{ ...write, isDelete: true }]]) {
    t.throws(() => checkRotationWrites({ ...rwset, writes }), {
      code: 'FORMATS_DEFINITION_INVALID',
    });
  }
});

t.test('whatever is done to a record, only faults come out', async (t) => {
  const random = new SeededRandom(20_261_121);
  const good = record();
  const accepted: number[] = [];
  for (let round = 0; round < 1_000; round += 1) {
    const bytes = Uint8Array.from(good);
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    try {
      verifyRotation(random.chance(50) ? bytes : random.mutate(bytes));
      accepted.push(at);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  t.strictSame(accepted, []);
});
