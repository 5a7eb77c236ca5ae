import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './rules.ts';
import { lineAt, projectDir } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

/** Folders that would serve another chain engine as they are. */
const engineFree = new Set(['base', 'crypto', 'custody', 'wasm', 'softhsm-config', 'hsm']);

/** A signer host recognises by these what it is asked to sign, and nowhere else. */
const recognisers = new Set([
  'hsm/check-block.ts',
  'hsm/check-definition.ts',
  'hsm/check-endorsement.ts',
  'hsm/check-envelope.ts',
  'hsm/check-retirement.ts',
  'hsm/guard-witness.ts',
  'hsm/served-keys.ts',
]);

const fabricNames = new Set(
  globSync('formats/fabric-*.ts', { cwd: projectDir }).flatMap((path) =>
    [
      ...readFileSync(join(projectDir, path), 'utf8').matchAll(
        /^export (?:const|type|interface|function|class) (\w+)/gm,
      ),
    ].map(([, name = '']) => name),
  ),
);

/** Keys, their guard, custody and contracts know no chain: they name no message of Fabric's. */
export function engineNames(file: SourceFile): Finding[] {
  if (!engineFree.has(file.folder) || recognisers.has(file.path)) return [];
  const imports = file.text.matchAll(/^import (?:type )?\{([^}]*)\} from '#formats';/gm);
  return [...imports].flatMap(({ 1: names = '', index }) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type |\s+as .*$/g, ''))
      .filter((name) => fabricNames.has(name))
      .map((name) => ({ line: lineAt(file.text, index), rule: `names Fabric’s ${name}` })),
  );
}
