import { listTokenKeys } from '#softhsm-config';
import { PeerClient, rotateKey } from '#cli';
import { eventually } from '../support/eventually.ts';
import { underLoad } from '../support/steady-load.ts';
import { TestNetwork } from '../support/test-network.ts';
import { percentile } from './figure.ts';
import type { Figure } from './figure.ts';

const rotationsWanted = 100;
const callers = 2;
const requestsPerCall = 50;
const keys = ['node0.org1', 'ordering0.zone', 'node0.org2', 'relay0.zone', 'node0.org3'];

/** Rotations of nodes', ordering and relay keys one after the other, while requests never stop. */
export async function claim(): Promise<Figure[]> {
  await using network = await TestNetwork.start({ peerCount: 1 });
  await network.deploy('notary');
  const client = await network.client('bench');
  const tookMs: number[] = [];
  const load = await underLoad(network, client, { callers, requestsPerCall }, async () => {
    for (let count = 0; count < rotationsWanted; count += 1) {
      const startMs = performance.now();
      await rotateKey(network.dir, keys[count % keys.length] as string);
      tookMs.push(performance.now() - startMs);
    }
  });
  if (load.firstFailure !== undefined) process.stderr.write(`${load.firstFailure}\n`);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const conditions =
    `${keys.length} keys in turn, each by an order of two operators, on the ledger, the old one ` +
    `destroyed; ${load.requests} deposits meanwhile, ${requestsPerCall} a call, ${callers} calls in flight`;
  const figures = {
    rotations: [tookMs.length, 'rotations'],
    failed_requests: [load.failed, 'requests'],
    seconds: [load.seconds, 's'],
    rotation_ms_p50: [percentile(sorted, 0.5), 'ms'],
    rotation_ms_max: [sorted.at(-1) ?? Number.NaN, 'ms'],
    requests_per_second: [load.requests / load.seconds, 'requests/s'],
    old_keys_left: [await oldKeysIn(network), 'keys'],
    blocks_not_at_peer: [await blocksMissing(network), 'blocks'],
  } as const;
  return Object.entries(figures).map(([figure, [value, unit]]) => ({
    figure,
    value,
    unit,
    conditions,
  }));
}

/** Private keys in the tokens beyond one for each name. */
async function oldKeysIn({ network: { layout, spec } }: TestNetwork): Promise<number> {
  let old = 0;
  for (const { name } of [...spec.organisations, spec.zone]) {
    const labels = await listTokenKeys({ dir: layout.token(name), label: name });
    old += labels.length - new Set(labels.map(({ label }) => label.split('~')[0])).size;
  }
  return old;
}

/** Blocks that a peer, which verifies each signature, endorsement and policy, did not commit in a minute. */
async function blocksMissing(network: TestNetwork): Promise<number> {
  const { height } = (await network.service.get('/v1/health')).body as { height: number };
  const peer = PeerClient.open(network.network.layout, 'peer-1');
  let missing = height;
  await eventually(async () => {
    missing = height - ((await peer.get('/v1/health')) as { height: number }).height;
    if (missing > 0) throw new Error(`${missing} blocks behind`);
  }).catch(() => {});
  return Math.max(0, missing);
}
