import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientProfile } from '../interop/client-profile.ts';
import { fabricBinaries } from '../interop/fabric-binaries.ts';
import { StockFabric } from '../interop/rival/stock-fabric.ts';
import { untilGatewayCommits } from '../interop/sdk-client.ts';
import { fabricVersions } from '../interop/versions.ts';
import { startZone, zoneProfile } from '../interop/zone-for-clients.ts';
import type { Figure } from './figure.ts';
import { underLoad } from './load/load-process.ts';
import type { MeasuredLoad, ServerProcesses } from './load/load-process.ts';
import { verificationCpuUs } from './process-cpu.ts';

type Network = 'stock' | 'zone';

const loads = [
  { name: 'sdk_200', program: 'sdk', inFlight: 200, transactions: { stock: 2_000, zone: 4_000 } },
  { name: 'sdk_600', program: 'sdk', inFlight: 600, transactions: { stock: 2_400, zone: 4_800 } },
  {
    name: 'lean_600',
    program: 'lean',
    inFlight: 600,
    transactions: { stock: 3_000, zone: 12_000 },
  },
] as const;
/** The stock orderer's as the earlier figures of this comparison had it. */
const blockWaitMs = 1_000;
const warmTransactions = { stock: 600, zone: 3_000 } as const;

/**
 * Fabric's Gateway flow, endorse, submit and wait for the commit, of single transactions: two
 * organisations that both endorse, one peer each, TLS; first on stock Fabric, then on a zone.
 */
export async function claim(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'gateway-'));
  try {
    return [...(await stockFigures(join(dir, 'stock'))), ...(await zoneFigures(dir))];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function stockFigures(dir: string): Promise<Figure[]> {
  const [version] = fabricVersions();
  if (version === undefined) throw new Error('no version of Fabric');
  await using network = await StockFabric.start({
    binaries: await fabricBinaries(version),
    dir,
    organisationCount: 2,
    blockWaitMs,
  });
  const conditions = `stock Fabric (${version.name}), two organisations with a peer each, one etcdraft orderer, Go chaincode as a service, blocks of 500 or ${blockWaitMs} ms`;
  // Awaited here, or the network would be stopped first.
  return await figuresOf('stock', network.profile(), () => network.processes(), conditions, dir);
}

async function zoneFigures(dir: string): Promise<Figure[]> {
  await using network = await startZone(2, { peerCount: 2, endorserCount: 1 });
  const { processes } = network;
  const servers = () => processes.names().map((name) => ({ name, pid: processes.pid(name) }));
  const conditions =
    'zone of two organisations, one endorser, SoftHSM, two validating peers of its own beside it';
  // Awaited here, or the network would be stopped first.
  return await figuresOf('zone', zoneProfile(network), servers, conditions, dir);
}

async function figuresOf(
  network: Network,
  profile: ClientProfile,
  servers: ServerProcesses,
  conditions: string,
  dir: string,
): Promise<Figure[]> {
  const profileFile = join(dir, `${network}.json`);
  writeFileSync(profileFile, JSON.stringify(profile));
  await untilGatewayCommits(profile);
  // Engines compile what runs often, and caches of identities fill.
  const warm = { profileFile, transactions: warmTransactions[network], inFlight: 200, run: 'warm' };
  await underLoad('lean', warm, servers);
  const figures: Figure[] = [];
  for (const { name, program, inFlight, transactions } of loads) {
    const order = { profileFile, transactions: transactions[network], inFlight, run: name };
    const verifyUs = verificationCpuUs();
    const load = await underLoad(program, order, servers);
    if (load.committed === 0) throw new Error(`${network} ${name}: ${load.failure}`);
    const client = program === 'sdk' ? 'unmodified Node SDK' : 'lean pre-signed client';
    const said = `${conditions}; ${client}, ${order.transactions} creations of 100 bytes, ${inFlight} in flight`;
    figures.push(
      ...figuresOfLoad(load, verifyUs).map((figure) => ({
        ...figure,
        figure: `${network}_${name}_${figure.figure}`,
        conditions: said,
      })),
    );
  }
  return figures;
}

function figuresOfLoad(load: MeasuredLoad, verifyUs: number): Omit<Figure, 'conditions'>[] {
  const perTransaction = (us: number) => us / load.committed;
  const parts = [...load.serverCpuUs];
  const sum = (some: readonly [string, number][]) => some.reduce((total, [, us]) => total + us, 0);
  // Stock Fabric's peers endorse, so all it has is needed; the zone's peers only follow.
  const followers = parts.filter(([name]) => /^peer-\d+$/.test(name));
  const figures = [
    { figure: 'transactions_per_second', value: load.committed / load.seconds, unit: 'tx/s' },
    { figure: 'failed', value: load.failed, unit: 'transactions' },
    { figure: 'p50_ms', value: load.p50Ms, unit: 'ms' },
    { figure: 'p99_ms', value: load.p99Ms, unit: 'ms' },
    {
      figure: 'server_cpu_us_per_transaction',
      value: perTransaction(sum(parts) - sum(followers)),
      unit: 'µs',
    },
    {
      figure: 'client_cpu_us_per_transaction',
      value: perTransaction(load.clientCpuUs),
      unit: 'µs',
    },
    { figure: 'p256_verification_cpu_us', value: verifyUs, unit: 'µs' },
  ];
  if (followers.length > 0) {
    figures.push({
      figure: 'server_cpu_us_per_transaction_with_peers',
      value: perTransaction(sum(parts)),
      unit: 'µs',
    });
  }
  return [
    ...figures,
    ...parts.map(([name, us]) => ({
      figure: `cpu_us_per_transaction_${name.replaceAll('-', '_')}`,
      value: perTransaction(us),
      unit: 'µs',
    })),
  ];
}
