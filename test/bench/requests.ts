import { createHash } from 'node:crypto';
import { TestNetwork } from '../support/test-network.ts';
import type { TestClient } from '../support/test-network.ts';
import { percentile } from './figure.ts';
import type { Figure } from './figure.ts';
import { cpuMicroseconds, verificationCpuUs } from './process-cpu.ts';

const loadRequests = 20_000;
const warmRequests = 6_000;
const callRequests = 500;
const callsInFlight = 4;
const singleRequests = 200;
const bundleRequests = 100;

/** Requests through the whole zone: bundled under load, one at a time, and a hundred operations each. */
export async function claim(): Promise<Figure[]> {
  await using network = await TestNetwork.start({
    peerCount: 0,
    requestsPerBundleMax: bundleRequests,
  });
  await network.deploy('notary');
  const client = await network.client('bench');
  // The engine compiles what runs often: a service that has just started is another machine.
  await postAll(network, depositRequests(client, warmRequests, 'warm'));
  return [
    ...(await underLoad(network, client)),
    ...(await oneAtATime(client)),
    ...(await manyOperations(network, client)),
  ];
}

async function underLoad(network: TestNetwork, client: TestClient): Promise<Figure[]> {
  const requests = depositRequests(client, loadRequests, 'load');
  const referenceBefore = verificationCpuUs();
  const before = await snapshot(network);
  const startMs = performance.now();
  await postAll(network, requests);
  const seconds = (performance.now() - startMs) / 1000;
  const after = await snapshot(network);
  const verifyUs = (referenceBefore + verificationCpuUs()) / 2;
  const conditions = `${loadRequests} deposits, ES256, bundles of ${bundleRequests}, ${callRequests} a call, ${callsInFlight} calls in flight, 2 endorsers, 3 endorsements`;
  const blocks = await countBlocks(network, before.height, after.height);
  const figures = [
    { figure: 'requests_per_second', value: loadRequests / seconds, unit: 'requests/s' },
    {
      figure: 'zone_cpu_us_per_request',
      value: (total(after.cpu) - total(before.cpu)) / loadRequests,
      unit: 'µs',
    },
    { figure: 'p256_verification_cpu_us', value: verifyUs, unit: 'µs' },
    {
      figure: 'hsm_signatures_per_request',
      value: blocks.signatures / loadRequests,
      unit: 'signatures',
    },
    {
      figure: 'requests_per_transaction',
      value: loadRequests / blocks.transactions,
      unit: 'requests',
    },
  ];
  const parts = [...after.cpu].map(([name, us]) => ({
    figure: `cpu_us_per_request_${name.replaceAll('-', '_')}`,
    value: (us - (before.cpu.get(name) ?? 0)) / loadRequests,
    unit: 'µs',
  }));
  return [...figures, ...parts, ...stageFigures(before, after)].map((figure) => ({
    ...figure,
    conditions,
  }));
}

/** Mean time that a wave spent in each stage of the manager's pipeline. */
function stageFigures(before: Snapshot, after: Snapshot): Omit<Figure, 'conditions'>[] {
  return Object.entries(after.stages).map(([stage, { count, totalMs }]) => {
    const earlier = before.stages[stage] ?? { count: 0, totalMs: 0 };
    const value = (totalMs - earlier.totalMs) / (count - earlier.count);
    return { figure: `stage_ms_${stage}`, value, unit: 'ms' };
  });
}

async function oneAtATime(client: TestClient): Promise<Figure[]> {
  const waits: number[] = [];
  for (let index = 0; index < singleRequests; index += 1) {
    const startMs = performance.now();
    const answer = await client.post('notary', deposit(`single ${index}`));
    if (answer.status !== 200)
      throw new Error(`refused: ${JSON.stringify(answer.body).slice(0, 300)}`);
    waits.push(performance.now() - startMs);
  }
  const sorted = waits.toSorted((a, b) => a - b);
  const conditions = `${singleRequests} deposits one after the other, signing and TLS connection included`;
  return [
    { figure: 'p50_ms', value: percentile(sorted, 0.5), unit: 'ms', conditions },
    { figure: 'p99_ms', value: percentile(sorted, 0.99), unit: 'ms', conditions },
  ];
}

async function manyOperations(network: TestNetwork, client: TestClient): Promise<Figure[]> {
  const operations = 100;
  const count = 100;
  const requests = Array.from({ length: count }, (_none, index) =>
    client.sign(
      'notary',
      ...Array.from({ length: operations }, (_one, inner) => deposit(`many ${index} ${inner}`)),
    ),
  );
  const before = await snapshot(network);
  const startMs = performance.now();
  await postAll(network, requests);
  const seconds = (performance.now() - startMs) / 1000;
  const after = await snapshot(network);
  const conditions = `${count} requests of ${operations} deposits each under one signature`;
  return [
    {
      figure: 'operations_per_second',
      value: (count * operations) / seconds,
      unit: 'operations/s',
      conditions,
    },
    {
      figure: 'zone_cpu_us_per_operation',
      value: (total(after.cpu) - total(before.cpu)) / (count * operations),
      unit: 'µs',
      conditions,
    },
  ];
}

function depositRequests(client: TestClient, count: number, salt: string): string[] {
  return Array.from({ length: count }, (_none, index) =>
    client.sign('notary', deposit(`${salt} ${index}`)),
  );
}

function deposit(content: string): [string, ...string[]] {
  const digest = createHash('sha256').update(content).digest('hex');
  return ['deposit', digest, `${content}.txt`, 'text/plain'];
}

async function postAll(network: TestNetwork, requests: readonly string[]): Promise<void> {
  const calls: string[][] = [];
  for (let at = 0; at < requests.length; at += callRequests) {
    calls.push(requests.slice(at, at + callRequests));
  }
  const next = async (): Promise<void> => {
    for (let call = calls.shift(); call !== undefined; call = calls.shift()) {
      for (const line of (await network.service.postMany(call)) as { status: number }[]) {
        if (line.status !== 200) throw new Error(`refused: ${JSON.stringify(line).slice(0, 300)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: callsInFlight }, next));
}

interface Snapshot {
  /** CPU microseconds used so far, by process. */
  cpu: Map<string, number>;
  height: number;
  /** How often each stage of the pipeline ran, and for how long. */
  stages: Record<string, { count: number; totalMs: number }>;
}

async function snapshot(network: TestNetwork): Promise<Snapshot> {
  const cpu = new Map<string, number>();
  for (const name of network.processes.names()) {
    cpu.set(name, cpuMicroseconds(network.processes.pid(name)));
  }
  const health = (await network.service.get('/v1/health')).body as Omit<Snapshot, 'cpu'>;
  return { cpu, height: health.height, stages: health.stages };
}

async function countBlocks(
  network: TestNetwork,
  from: number,
  to: number,
): Promise<{ transactions: number; signatures: number }> {
  let transactions = 0;
  let signatures = 0;
  for (let number = from; number < to; number += 1) {
    const block = (await network.service.get(`/v1/blocks/${number}`)).body as {
      transactions: { txId: string }[];
    };
    signatures += 1;
    for (const { txId } of block.transactions) {
      const answer = await network.service.get(`/v1/transactions/${txId}`);
      transactions += 1;
      signatures += 1 + (answer.body as { endorsers: string[] }).endorsers.length;
    }
  }
  return { transactions, signatures };
}

function total(cpu: ReadonlyMap<string, number>): number {
  return [...cpu.values()].reduce((sum, us) => sum + us, 0);
}
