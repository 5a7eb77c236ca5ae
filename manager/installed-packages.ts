import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { limits, syncDirectory, toHex, utf8, writeDurably } from '#base';
import { isPackageOf } from '#formats';
import { fault } from './faults.ts';

export interface InstalledPackage {
  packageId: string;
  label: string;
}

/** As Fabric's peers name the file of a package: its id with a dot for the colon. */
const fileForm = /^(.+)\.([0-9a-f]{64})\.tar\.gz$/;

/** The contract packages that organisations have installed, each in a directory of its own. */
export class InstalledPackages {
  readonly #dir: string;

  /** @param dir made when it is first written to. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Keeps a package; it is on disk when this returns.
   *
   * @throws MANAGER_PACKAGE_KNOWN, MANAGER_PACKAGES_FULL
   */
  install(mspid: string, packageId: string, bytes: Uint8Array): void {
    const installed = this.list(mspid);
    if (installed.some((one) => one.packageId === packageId)) {
      throw fault('MANAGER_PACKAGE_KNOWN', {
        reason: `chaincode already successfully installed (package ID '${packageId}')`,
      });
    }
    if (installed.length >= limits.installedPackagesMax) throw fault('MANAGER_PACKAGES_FULL');
    mkdirSync(this.#dirOf(mspid), { recursive: true, mode: 0o700 });
    const file = this.#file(mspid, packageId);
    const partial = `${file}.partial`;
    try {
      writeDurably(partial, bytes);
      renameSync(partial, file);
    } catch (cause) {
      rmSync(partial, { force: true });
      throw fault('MANAGER_PACKAGES_UNWRITABLE', {}, cause);
    }
    syncDirectory(this.#dirOf(mspid));
  }

  /** By package id, ascending. */
  list(mspid: string): InstalledPackage[] {
    return namesIn(this.#dirOf(mspid))
      .toSorted()
      .flatMap((name) => {
        const [, label = '', hash = ''] = fileForm.exec(name) ?? [];
        return hash === '' ? [] : [{ packageId: `${label}:${hash}`, label }];
      });
  }

  /** @returns undefined when the organisation has not installed it, or the file is not it any more. */
  load(mspid: string, packageId: string): Uint8Array | undefined {
    if (!this.list(mspid).some((one) => one.packageId === packageId)) return undefined;
    const bytes = new Uint8Array(readFileSync(this.#file(mspid, packageId)));
    return isPackageOf(packageId, bytes) ? bytes : undefined;
  }

  #dirOf(mspid: string): string {
    return join(this.#dir, toHex(utf8(mspid)));
  }

  #file(mspid: string, packageId: string): string {
    return join(this.#dirOf(mspid), `${packageId.replace(':', '.')}.tar.gz`);
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
