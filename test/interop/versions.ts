import { basename, resolve } from 'node:path';

/** Where one version of the stock binaries comes from. */
export type FabricVersion =
  | { readonly from: 'module'; readonly name: string; readonly version: string }
  | { readonly from: 'release'; readonly name: string; readonly dir: string }
  | { readonly from: 'source'; readonly name: string; readonly dir: string };

/**
 * Fabric's main branch of April 2023, between 2.5.0 and 3.0. Its releases carry tags that Go refuses
 * as module versions (fabric #2890), so a commit is named instead; go.sum beside go.mod pins its bytes.
 */
export const pinnedModule = 'v1.4.0-rc1.0.20230405174026-695dd57e01c2';

/**
 * The versions that the interoperability tests run against: the pinned one, then
 * `FABRIC_MODULES=VERSION,…` more module versions of github.com/hyperledger/fabric, and
 * `FABRIC_BINARIES=DIR,…` directories as a release unpacks: `bin/` beside `config/`, and
 * `FABRIC_SOURCES=DIR,…` checkouts of Fabric's source.
 *
 * @throws TypeError when a name is no module version.
 */
export function fabricVersions(env: NodeJS.ProcessEnv = process.env): FabricVersion[] {
  const modules = [pinnedModule, ...listIn(env['FABRIC_MODULES'])];
  return [
    ...modules.map(moduleVersion),
    ...listIn(env['FABRIC_BINARIES']).map((dir) => inDirectory('release', dir)),
    ...listIn(env['FABRIC_SOURCES']).map((dir) => inDirectory('source', dir)),
  ];
}

function inDirectory(from: 'release' | 'source', dir: string): FabricVersion {
  const path = resolve(dir);
  return { from, name: basename(path), dir: path };
}

function moduleVersion(version: string): FabricVersion {
  // It becomes a directory's name and a line of go.mod.
  if (!/^v\d[\w.+-]{0,127}$/.test(version)) throw new TypeError(`no module version: ${version}`);
  return { from: 'module', name: `module-${version.split('-').at(-1)}`, version };
}

function listIn(value: string | undefined): string[] {
  return (value ?? '').split(',').filter((part) => part !== '');
}
