import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path/posix';
import type { Finding } from './rules.ts';
import { isProduct } from './rules.ts';
import { projectDir } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

/** The folders from the ground up; a folder imports from lower floors only, so siblings never meet. */
const floors = [
  ['base'],
  ['crypto'],
  ['formats'],
  ['custody'],
  ['hsm', 'ledger', 'wasm', 'policy', 'enclave-attest', 'softhsm-config'],
  ['manager', 'endorser', 'peer'],
  ['apps'],
  ['cli', 'console'],
] as const;

/** Security properties: whoever orders or validates reaches no key and runs no contract. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  manager: ['#hsm', '#wasm', 'pkcs11js', 'graphene-pk11'],
  peer: ['#hsm', '#wasm', 'pkcs11js', 'graphene-pk11'],
  endorser: ['#hsm', 'pkcs11js', 'graphene-pk11'],
};

interface Manifest {
  readonly name: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as Manifest;
const floorOf = new Map<string, number>(
  floors.flatMap((folders, floor) => folders.map((folder): [string, number] => [folder, floor])),
);

export function unknownFolder(file: SourceFile): Finding[] {
  if (!isProduct(file) || floorOf.has(file.folder)) return [];
  return [{ line: 1, rule: `the folder ${file.folder}/ stands on no floor` }];
}

export function wrongImport(file: SourceFile): Finding[] {
  return file.imports.flatMap(({ specifier, line }) => {
    const rule = brokenBy(file, specifier);
    return rule === undefined ? [] : [{ line, rule: `${rule}: ${specifier}` }];
  });
}

function brokenBy(file: SourceFile, specifier: string): string | undefined {
  if (forbidden[file.folder]?.includes(specifier)) return `${file.folder}/ must not reach this`;
  if (specifier.startsWith('#')) return doorBrokenBy(file, specifier);
  if (specifier.startsWith('.')) return pathBrokenBy(file, specifier);
  if (specifier.startsWith('node:')) return undefined;
  if (builtinModules.includes(specifier)) return 'a part of Node.js is imported by its node: name';
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (Object.hasOwn(manifest.dependencies, name)) return undefined;
  // Contracts know the SDK by the project's own name; their compiler resolves it.
  if (name === manifest.name) return undefined;
  if (!isProduct(file) && Object.hasOwn(manifest.devDependencies, name)) return undefined;
  return 'package.json names no such dependency';
}

function doorBrokenBy(file: SourceFile, specifier: string): string | undefined {
  const door = manifest.imports[specifier];
  if (door === undefined) return 'package.json names no such door';
  if (!isProduct(file)) return undefined;
  const target = floorOf.get(door.split('/')[1] ?? '') ?? Infinity;
  const own = floorOf.get(file.folder) ?? -1;
  return target < own ? undefined : 'imports go to lower floors only';
}

function pathBrokenBy(file: SourceFile, specifier: string): string | undefined {
  const target = normalize(join(dirname(file.path), specifier));
  const folder = target.includes('/') ? target.slice(0, target.indexOf('/')) : '';
  if (folder === file.folder) return undefined;
  // A test may open the folder that it tests, and one that stands in no folder the scripts.
  const [, tested] = file.path.split('/');
  const ownSubject = tested?.endsWith('.ts') === true ? 'scripts' : tested;
  if (file.folder === 'test' && folder === ownSubject) return undefined;
  return 'another folder is entered by its door';
}
