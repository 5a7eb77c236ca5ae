import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Compiles a C source to a shared library, once per version of it; processes that do so at the same
 * time do not meet.
 *
 * @returns path of the library.
 */
export function compiledShim(source: string): string {
  const version = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const dir = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'test-shim');
  const made = join(dir, `${version}.so`);
  if (existsSync(made)) return made;
  mkdirSync(dir, { recursive: true });
  const fresh = join(dir, `${version}.${process.pid}.so`);
  const flags = ['-std=gnu11', '-O1', '-shared', '-fPIC', '-fvisibility=hidden', '-o', fresh];
  const { status, stderr } = spawnSync('gcc', [...flags, source, '-ldl', '-lpthread'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`gcc does not compile the shim: ${stderr}`);
  renameSync(fresh, made);
  return made;
}

/** Why no shim can be used on this machine, or false; for a test's `skip`. */
export function shimIsMissing(): string | false {
  const { status } = spawnSync('gcc', ['--version']);
  return status === 0 ? false : 'gcc is not installed; npm test installs it where it may';
}
