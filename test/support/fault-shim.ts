import { join } from 'node:path';
import { compiledShim } from './compiled-shim.ts';
import { ShimControl } from './pkcs11-shim/control.ts';
import { temporaryDir } from './temporary-dir.ts';
import type { TestScope } from './temporary-dir.ts';

export { shimIsMissing } from './compiled-shim.ts';
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
  return {
    module: compiledShim(join(import.meta.dirname, 'pkcs11-shim', 'shim.c')),
    moduleEnvironment,
    control,
  };
}
