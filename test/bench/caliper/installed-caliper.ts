import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from '../../interop/file-lock.ts';
import { cacheDir } from '../../interop/go-program.ts';

const execute = promisify(execFile);
const installWaitMsMax = 15 * 60_000;
const pinnedDir = join(import.meta.dirname, 'pinned');
const files = ['package.json', 'package-lock.json'] as const;

/**
 * Hyperledger Caliper of the version that `pinned/` says: installed by npm on first use and kept
 * outside the tree, for every clone.
 *
 * @returns the directory that holds its `node_modules`.
 * @throws Error when the registry does not serve it.
 */
export async function installedCaliper(): Promise<string> {
  const digest = createHash('sha256');
  for (const file of files) digest.update(readFileSync(join(pinnedDir, file)));
  const dir = cacheDir('caliper', digest.digest('hex').slice(0, 16));
  await mkdir(cacheDir('caliper'), { recursive: true });
  await withFileLock(`${dir}.lock`, installWaitMsMax, async () => {
    if (!existsSync(dir)) await install(dir);
  });
  return dir;
}

async function install(dir: string): Promise<void> {
  const work = await mkdtemp(`${dir}.install-`);
  try {
    for (const file of files) await copyFile(join(pinnedDir, file), join(work, file));
    // Nothing of it has to be compiled, and no package runs a program of its own here.
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await execute('npm', args, { cwd: work, timeout: installWaitMsMax });
    await rename(work, dir);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
