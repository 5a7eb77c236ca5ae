import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShimControl } from './pkcs11-shim/control.ts';
import { temporaryDir } from './softhsm.ts';
import type { TestScope } from './softhsm.ts';

export { ShimControl, always, shimFunctions } from './pkcs11-shim/control.ts';
export type { ShimFunction } from './pkcs11-shim/control.ts';

/** The fault shim before a module: what a signer host's configuration names, and its controls. */
export interface FaultShim {
  readonly module: string;
  readonly moduleEnvironment: Readonly<Record<string, string>>;
  readonly control: ShimControl;
}

/** @param behind path of the module that does the work. */
export function faultShim(t: TestScope, behind: string): FaultShim {
  const file = join(temporaryDir(t), 'shim-control');
  const control = new ShimControl(file);
  t.teardown(() => control[Symbol.dispose]());
  const moduleEnvironment = {
    COUNTERSIGN_SHIM_MODULE: behind,
    COUNTERSIGN_SHIM_CONTROL: file,
  };
  return { module: compiledShim(), moduleEnvironment, control };
}

/** Compiles it once per version of its source; processes that do so at the same time do not meet. */
function compiledShim(): string {
  const source = join(import.meta.dirname, 'pkcs11-shim', 'shim.c');
  const version = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const dir = join(tmpdir(), 'countersign-test-shim');
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

/** Why the shim cannot be used on this machine, or false; for a test's `skip`. */
export function shimIsMissing(): string | false {
  const { status } = spawnSync('gcc', ['--version']);
  return status === 0 ? false : 'gcc is not installed; npm test installs it where it may';
}
