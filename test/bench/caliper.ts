import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startZone, zoneProfile } from '../interop/zone-for-clients.ts';
import { writeWorkspace } from './caliper/caliper-workspace.ts';
import type { CaliperRound } from './caliper/caliper-workspace.ts';
import { installedCaliper } from './caliper/installed-caliper.ts';
import type { Figure } from './figure.ts';

const execute = promisify(execFile);
const runWaitMsMax = 280_000;
const artefacts = join(import.meta.dirname, '..', '..', 'bench-artefacts');
const rounds: readonly CaliperRound[] = [
  { label: 'create', calls: 'create', transactions: 3_000, inFlight: 200 },
  { label: 'read', calls: 'read', transactions: 3_000, inFlight: 200 },
];

/** Hyperledger Caliper drives a zone's gateway with its own Fabric connector; its report is kept. */
export async function claim(): Promise<Figure[]> {
  const caliper = await installedCaliper();
  const dir = mkdtempSync(join(tmpdir(), 'caliper-'));
  try {
    await using zone = await startZone(2, { peerCount: 2, endorserCount: 1 });
    const { networkFile, benchFile } = writeWorkspace(dir, zoneProfile(zone), rounds);
    const report = join(dir, 'report.html');
    const main = join(caliper, 'node_modules', '@hyperledger', 'caliper-cli', 'caliper.js');
    const options = {
      workspace: dir,
      networkconfig: networkFile,
      benchconfig: benchFile,
      'report-path': report,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--caliper-${name}`, value]);
    args.push('--caliper-flow-only-test');
    const { stdout } = await execute(process.execPath, [main, 'launch', 'manager', ...args], {
      cwd: dir,
      timeout: runWaitMsMax,
      maxBuffer: 64 * 1024 * 1024,
    });
    process.stdout.write(`  report: ${keepReport(report)}\n`);
    return rounds.flatMap((round) => figuresOf(round, stdout));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function keepReport(report: string): string {
  if (!existsSync(report)) throw new Error('Caliper wrote no report');
  mkdirSync(artefacts, { recursive: true });
  const kept = join(artefacts, 'caliper-report.html');
  copyFileSync(report, kept);
  return kept;
}

/** Caliper's table: name, successes, failures, send rate, latencies (largest, smallest, mean), rate. */
function figuresOf({ label, transactions, inFlight }: CaliperRound, stdout: string): Figure[] {
  const rows = stdout.split('\n').filter((line) => line.startsWith(`| ${label} `));
  const columns =
    rows
      .at(-1)
      ?.split('|')
      .map((column) => column.trim()) ?? [];
  const [, , successes, failures, , slowest, , mean, rate] = columns.map(Number);
  if (successes !== transactions || failures !== 0) {
    throw new Error(`round ${label}: ${rows.at(-1) ?? 'not in the table'}`);
  }
  const conditions = `Hyperledger Caliper 0.6.0 with fabric-gateway 1.12.1, one worker, ${transactions} transactions, ${inFlight} in flight; zone of two organisations, one endorser, SoftHSM, two peers of its own`;
  const figure = (name: string, value: number | undefined, unit: string): Figure => ({
    figure: `caliper_${label}_${name}`,
    value: value ?? Number.NaN,
    unit,
    conditions,
  });
  return [
    figure('rate', rate, 'transactions/s'),
    figure('latency_mean', mean, 's'),
    figure('latency_max', slowest, 's'),
  ];
}
