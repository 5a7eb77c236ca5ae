import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findSoftHsmModule } from '#softhsm-config';
import { faultShim, shimIsMissing } from './fault-shim.ts';
import { softwareTpmMissing, startSoftwareTpm } from './software-tpm.ts';
import { temporaryDir } from './temporary-dir.ts';
import type { TestScope } from './temporary-dir.ts';

/** A PKCS#11 module with an empty token, ready to be loaded into this process. */
export interface EmptyModule {
  readonly file: string;
  /** What it reads of the environment when it is loaded. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ModuleKind {
  readonly name: string;
  /** Why it cannot be had on this machine, or false. */
  readonly missing: string | false;
  prepare(t: TestScope): EmptyModule | Promise<EmptyModule>;
}

const tpmModule = [
  '/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so',
  '/usr/lib/aarch64-linux-gnu/pkcs11/libtpm2_pkcs11.so',
].find((file) => existsSync(file));

/** The modules that the quirks of PKCS#11 are looked for in. */
export const moduleKinds: readonly ModuleKind[] = [
  { name: 'SoftHSM', missing: false, prepare: emptySoftHsm },
  {
    name: 'the fault shim before SoftHSM',
    missing: shimIsMissing(),
    prepare: (t) => {
      const { environment } = emptySoftHsm(t);
      const { module, moduleEnvironment } = faultShim(t, findSoftHsmModule());
      return { file: module, environment: { ...environment, ...moduleEnvironment } };
    },
  },
  {
    name: 'tpm2-pkcs11 over a software TPM',
    missing:
      softwareTpmMissing() ??
      (tpmModule === undefined && 'tpm2-pkcs11 is not installed (Debian package libtpm2-pkcs11-1)'),
    prepare: async (t) => {
      const { tcti } = await startSoftwareTpm(t);
      const store = join(temporaryDir(t), 'store');
      mkdirSync(store);
      const environment = {
        TPM2_PKCS11_TCTI: tcti,
        TPM2_PKCS11_STORE: store,
        TPM2_PKCS11_BACKEND: 'esysdb',
        // It writes errors that a test provokes to the terminal otherwise.
        TPM2_PKCS11_LOG_LEVEL: '0',
        TSS2_LOG: 'all+none',
      };
      return { file: tpmModule ?? '', environment };
    },
  },
];

function emptySoftHsm(t: TestScope): EmptyModule {
  const dir = temporaryDir(t);
  const config = join(dir, 'softhsm2.conf');
  mkdirSync(join(dir, 'tokens'));
  writeFileSync(
    config,
    `directories.tokendir = ${join(dir, 'tokens')}\nobjectstore.backend = file\n`,
  );
  return { file: findSoftHsmModule(), environment: { SOFTHSM2_CONF: config } };
}
