import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from './file-lock.ts';
import { cacheDir } from './go-program.ts';

const execute = promisify(execFile);
const buildWaitMsMax = 15 * 60_000;

/**
 * Compiles one of the tests' own small Java programs with the libraries that its pom.xml names; one
 * with the same sources is compiled once, and needs no network then.
 *
 * @param sourceDir its pom.xml and sources, no folders.
 * @returns the arguments of `java` that run its class of the name given.
 */
export async function javaProgram(sourceDir: string, mainClass: string): Promise<string[]> {
  const files = readdirSync(sourceDir).toSorted();
  const sources = createHash('sha256');
  for (const file of files) sources.update(file).update(readFileSync(join(sourceDir, file)));
  const digest = sources.digest('hex').slice(0, 16);
  const dir = cacheDir('java', `${basename(sourceDir)}-${digest}`);
  await mkdir(cacheDir('java'), { recursive: true });
  await withFileLock(`${dir}.lock`, buildWaitMsMax, async () => {
    if (!existsSync(dir)) await compile(sourceDir, files, dir);
  });
  return ['-cp', `${join(dir, 'classes')}:${join(dir, 'libraries', '*')}`, mainClass];
}

async function compile(sourceDir: string, files: readonly string[], dir: string): Promise<void> {
  const work = await mkdtemp(`${dir}.build-`);
  try {
    await copyFile(join(sourceDir, 'pom.xml'), join(work, 'pom.xml'));
    const libraries = join(work, 'libraries');
    const fetch = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`];
    // Without the network first: what an earlier build fetched may be enough.
    await run(work, 'mvn', ['-o', ...fetch]).catch(() => run(work, 'mvn', fetch));
    const sources = files.filter((file) => file.endsWith('.java'));
    const classes = ['-d', join(work, 'classes'), '-cp', join(libraries, '*')];
    await run(sourceDir, 'javac', [...classes, ...sources]);
    await rename(work, dir);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function run(cwd: string, command: string, args: string[]): Promise<void> {
  try {
    await execute(command, args, { cwd, timeout: buildWaitMsMax });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error(
      `The Java application is built with Maven and a JDK, and there is no "${command}" on the PATH. ` +
        'Install them (Debian: "sudo apt-get install default-jdk-headless maven").',
      { cause },
    );
  }
}
