import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listTokenKeys } from '#softhsm-config';
import { rotateKey } from '../../cli/rotate-key.ts';
import { TestNetwork } from '../support/test-network.ts';

t.setTimeout(170_000);
const callers = 4;
const network = await TestNetwork.start({ peerCount: 0 });
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary');
const alice = await network.client('alice');
let deposits = 0;
const madeInToken = {
  token: true,
  private: true,
  sensitive: true,
  alwaysSensitive: true,
  extractable: false,
  neverExtractable: true,
  local: true,
  modifiable: false,
  sign: true,
  decrypt: false,
};

function deposit(): [string, ...string[]] {
  deposits += 1;
  return ['deposit', deposits.toString(16).padStart(64, '0'), 'x.txt', 'text/plain'];
}

/** Deposits all the time that `during` takes. @returns how often each status was answered. */
async function load(during: () => Promise<unknown>): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  const done = new AbortController();
  const call = async () => {
    while (!done.signal.aborted) {
      const { status } = await alice.post('notary', deposit());
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  const calls = Array.from({ length: callers }, call);
  try {
    await during();
  } finally {
    done.abort();
  }
  await Promise.all(calls);
  return statuses;
}

async function labelsIn(token: string): Promise<string[]> {
  const keys = await listTokenKeys({ dir: network.network.layout.token(token), label: token });
  return keys.map(({ label }) => label).sort();
}

t.test(
  'a node’s key and the ordering key are rotated under load, and no request fails',
  async (t) => {
    const statuses = await load(async () => {
      t.match(await rotateKey(network.dir, 'node0.org1'), { label: 'node0.org1~2' });
      t.match(await rotateKey(network.dir, 'ordering0.zone'), { label: 'ordering0.zone~2' });
    });
    t.strictSame(Object.keys(statuses), ['200']);
  },
);

t.test(
  'the old private keys are gone from their tokens, and the new ones are as safe',
  async (t) => {
    t.strictSame(await labelsIn('org1'), ['node0.org1~2']);
    t.ok((await labelsIn('zone')).includes('ordering0.zone~2'));
    t.notOk((await labelsIn('zone')).includes('ordering0.zone'));
    const [key] = await listTokenKeys({ dir: network.network.layout.token('org1'), label: 'org1' });
    t.strictSame(key?.attributes, madeInToken);
  },
);

t.test(
  'after a crash of every process the new keys sign, and nobody asks for the old ones',
  async (t) => {
    const { processes } = network;
    for (const name of network.processNames.toReversed()) await processes.kill(name);
    await processes.startAll();
    t.match(await alice.post('notary', deposit()), { status: 200 });
  },
);

t.test('each destruction is on record, after its order', async (t) => {
  const { auditDir } = configuredCustody('org1');
  const lines = readFileSync(join(auditDir, 'audit.jsonl'), 'utf8').trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { event: string; facts: object });
  const order = events.findIndex(({ event }) => event.startsWith('order.'));
  const destroyed = events.findIndex(({ event }) => event === 'key.destroyed');
  t.ok(order !== -1 && destroyed > order);
  t.match(events[destroyed]?.facts, {
    key: 'node0.org1',
    version: '1',
    fingerprint: /^[0-9a-f]{64}$/,
  });
});

function configuredCustody(token: string): { auditDir: string } {
  const file = network.network.layout.config(`signer-${token}`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { custody: { auditDir: string } }).custody;
}
