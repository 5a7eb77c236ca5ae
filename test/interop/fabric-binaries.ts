import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from './file-lock.ts';
import { cacheDir, runGo } from './go-program.ts';
import { pinnedModule } from './versions.ts';
import type { FabricVersion } from './versions.ts';

const modulePath = 'github.com/hyperledger/fabric';
const tools = ['peer', 'orderer', 'configtxgen', 'cryptogen', 'configtxlator', 'osnadmin'] as const;
const buildWaitMsMax = 15 * 60_000;

/** Paths of one version's programs, and of the directory with the core.yaml that it ships. */
export type FabricBinaries = Readonly<
  Record<(typeof tools)[number] | 'name' | 'sampleconfig', string>
>;

/**
 * The stock programs of one version: built on first use and kept outside the tree, for every clone.
 *
 * @throws Error that says what to install or what a release's directory lacks.
 */
export async function fabricBinaries(version: FabricVersion): Promise<FabricBinaries> {
  if (version.from === 'release') return programsIn(version.dir, version.name);
  if (version.from === 'source') return builtFrom(version.dir, version.name);
  const dir = cacheDir('fabric', `${version.version}-${process.platform}-${process.arch}`);
  if (!existsSync(dir)) {
    await mkdir(cacheDir('fabric'), { recursive: true });
    await withFileLock(`${dir}.lock`, buildWaitMsMax, async () => {
      if (!existsSync(dir)) await buildModule(version.version, dir);
    });
  }
  return programsIn(dir, version.name);
}

/** Built anew each time, because sources change; go does again only what has changed. */
async function builtFrom(source: string, name: string): Promise<FabricBinaries> {
  const missing = ['cmd/peer', 'sampleconfig/core.yaml'].filter(
    (one) => !existsSync(join(source, one)),
  );
  if (missing.length > 0)
    throw new Error(`${source} is no checkout of Fabric: no ${missing.join(', ')}`);
  const place = createHash('sha256').update(source).digest('hex').slice(0, 16);
  const dir = cacheDir('fabric', `source-${place}`);
  const bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  const mode = existsSync(join(source, 'vendor')) ? 'vendor' : 'readonly';
  const packages = tools.map((tool) => `./cmd/${tool}`);
  await withFileLock(`${dir}.lock`, buildWaitMsMax, async () => {
    await runGo(source, mode, ['build', '-trimpath', '-o', `${bin}/`, ...packages]);
  });
  return programsIn(dir, name, source);
}

/** @param configDir the directory that `config` or `sampleconfig` is in. */
function programsIn(dir: string, name: string, configDir = dir): FabricBinaries {
  const sampleconfig = ['config', 'sampleconfig']
    .map((each) => join(configDir, each))
    .find((each) => existsSync(join(each, 'core.yaml')));
  const missing = tools.filter((tool) => !existsSync(join(dir, 'bin', tool)));
  if (sampleconfig === undefined || missing.length > 0) {
    const wanted = [...missing.map((tool) => `bin/${tool}`), 'config/core.yaml'].join(', ');
    throw new Error(`${dir} is no Fabric release: it must hold ${wanted}`);
  }
  const paths = Object.fromEntries(tools.map((tool) => [tool, join(dir, 'bin', tool)]));
  return { ...paths, name, sampleconfig } as FabricBinaries;
}

async function buildModule(version: string, dir: string): Promise<void> {
  const work = await mkdtemp(`${dir}.build-`);
  try {
    const pinned = version === pinnedModule;
    await writeModuleFiles(work, version, pinned);
    const go = (...args: string[]) => runGo(work, pinned ? 'readonly' : 'mod', args);
    await mkdir(join(work, 'bin'));
    await go(
      'build',
      '-trimpath',
      '-o',
      'bin/',
      ...tools.map((tool) => `${modulePath}/cmd/${tool}`),
    );
    const source = (await go('list', '-m', '-f', '{{.Dir}}', modulePath)).trim();
    await copyYaml(join(source, 'sampleconfig'), join(work, 'config'));
    await rename(work, dir);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function writeModuleFiles(work: string, version: string, pinned: boolean): Promise<void> {
  if (!pinned) {
    const lines = ['module tools', 'go 1.24', `require ${modulePath} ${version}`, ''];
    return writeFile(join(work, 'go.mod'), lines.join('\n'));
  }
  const committed = join(import.meta.dirname, 'fabric-tools');
  for (const file of ['go.mod', 'go.sum']) await copyFile(join(committed, file), join(work, file));
}

/** Files of the module cache are read-only; a copy by content is not. */
async function copyYaml(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const file of await readdir(from)) {
    if (file.endsWith('.yaml')) await copyFile(join(from, file), join(to, file));
  }
}
