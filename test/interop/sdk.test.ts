import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { ClientProfile } from './client-profile.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { goProgram } from './go-program.ts';
import { javaProgram } from './java-program.ts';
import { StockFabric } from './rival/stock-fabric.ts';
import { untilGatewayCommits } from './sdk-client.ts';
import { fabricVersions } from './versions.ts';
import { startZone, zoneProfile } from './zone-for-clients.ts';

const execute = promisify(execFile);
const applicationWaitMsMax = 240_000;
const here = import.meta.dirname;

type Line = Record<string, unknown>;

const javaArgs = await javaProgram(join(here, 'sdk-java'), 'Application');
const applications = {
  Node: [process.execPath, '--no-deprecation', join(here, 'sdk-node', 'main.ts')],
  Go: [await goProgram(join(here, 'sdk-go'))],
  Java: ['java', ...javaArgs],
} as const;

const dir = t.testdir();
const stock = await stockLines();
const zone = await startZone(2, { peerCount: 0 });
t.teardown(() => zone[Symbol.asyncDispose]());

t.test('an application hears the same from a zone as from stock Fabric', async (t) => {
  t.ok(stock.length > 10, 'steps on stock Fabric');
  t.equal(new Set(stock.map(({ step }) => step)).size, stock.length);
  for (const [language, command] of Object.entries(applications)) {
    const lines = await linesOf(command, zoneProfile(zone), `zone-${language}`);
    for (const [index, expected] of stock.entries()) {
      t.strictSame(lines[index], expected, `${language}: ${String(expected['step'])}`);
    }
    t.equal(lines.length, stock.length, `${language}: steps`);
  }
});

/** What the Node application prints on stock Fabric, and the others must print there too. */
async function stockLines(): Promise<Line[]> {
  const [version] = fabricVersions();
  if (version === undefined) throw new Error('no version of Fabric');
  await using network = await StockFabric.start({
    binaries: await fabricBinaries(version),
    dir: join(dir, 'stock'),
    organisationCount: 2,
    blockWaitMs: 200,
  });
  await untilGatewayCommits(network.profile());
  const lines = await linesOf(applications.Node, network.profile(), 'stock-Node');
  for (const language of ['Go', 'Java'] as const) {
    const same = await linesOf(applications[language], network.profile(), `stock-${language}`);
    t.strictSame(same, lines, `${language} and Node hear the same from stock Fabric`);
  }
  return lines;
}

async function linesOf(
  command: readonly string[],
  profile: ClientProfile,
  run: string,
): Promise<Line[]> {
  const profileFile = join(dir, `${run}.json`);
  writeFileSync(profileFile, JSON.stringify(profile));
  const [program = '', ...args] = command;
  const { stdout } = await execute(program, [...args, profileFile, run], {
    timeout: applicationWaitMsMax,
  });
  const printed = stdout.trim().split('\n');
  return printed.map((line) => JSON.parse(line.replaceAll(run, 'RUN')) as Line);
}
