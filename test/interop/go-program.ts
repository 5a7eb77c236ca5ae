import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from './file-lock.ts';

const execute = promisify(execFile);
const buildWaitMsMax = 15 * 60_000;

/** What tests build and download lies outside the tree, for every clone. */
export function cacheDir(...below: string[]): string {
  const home = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(home, 'countersign', ...below);
}

/**
 * Builds one of the tests' own small Go programs; one with the same sources is built once.
 *
 * @param sourceDir its go.mod, go.sum and sources, no folders.
 * @returns the program's path.
 */
export function goProgram(sourceDir: string): Promise<string> {
  return builtOnce(sourceDir, basename(sourceDir), (program) =>
    runGo(sourceDir, 'readonly', ['build', '-trimpath', '-o', program, '.']),
  );
}

/**
 * Builds somebody else's program.
 *
 * @param pinDir with a go.mod and go.sum of ours that name its version and everything it needs.
 * @param cgo whether it has parts in C, for which a C compiler has to be there.
 */
export function goTool(pinDir: string, packagePath: string, cgo = false): Promise<string> {
  return builtOnce(pinDir, basename(packagePath), (program) =>
    runGo(pinDir, 'readonly', ['build', '-trimpath', '-o', program, packagePath], cgo),
  );
}

async function builtOnce(
  sourceDir: string,
  name: string,
  build: (program: string) => Promise<unknown>,
): Promise<string> {
  const files = readdirSync(sourceDir).toSorted();
  const sources = createHash('sha256');
  for (const file of files) sources.update(file).update(readFileSync(join(sourceDir, file)));
  const dir = cacheDir('go');
  const program = join(dir, `${name}-${sources.digest('hex').slice(0, 16)}`);
  await mkdir(dir, { recursive: true });
  await withFileLock(`${program}.lock`, buildWaitMsMax, async () => {
    if (!existsSync(program)) await build(program);
  });
  return program;
}

/** @param mode of `-mod`. @returns what the go command printed. */
export async function runGo(
  dir: string,
  mode: string,
  args: string[],
  cgo = false,
): Promise<string> {
  const env = {
    ...process.env,
    // Without cgo the programs need no C compiler and no shared library.
    CGO_ENABLED: cgo ? '1' : '0',
    GOFLAGS: `-mod=${mode} -buildvcs=false`,
    GOWORK: 'off',
  };
  try {
    const run = await execute('go', args, { cwd: dir, env, timeout: buildWaitMsMax });
    return run.stdout;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error(
      'The programs of stock Fabric and of its tests are built with Go, and there is no "go" on the PATH. ' +
        'Install Go 1.25 or later.',
      { cause },
    );
  }
}
