import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, sep } from 'node:path';
import { toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { fault } from './faults.ts';

/**
 * Compiles a contract written in AssemblyScript with the SDK (`import … from 'countersign'`).
 * The compiler sees the source's folder and the SDK under fixed names and nothing else, so that the
 * same sources give the same bytes wherever they lie.
 *
 * @throws WASM_BUILD_FAILED with the compiler's words in `reason`.
 */
export async function buildContract(sourceFile: string, outFile: string): Promise<void> {
  const code = await compile(sourceFile);
  mkdirSync(dirname(outFile), { recursive: true });
  // Two processes may build the same file: each renames a whole one into place.
  const unfinished = `${outFile}.${process.pid}.tmp`;
  writeFileSync(unfinished, code);
  renameSync(unfinished, outFile);
}

/**
 * The code of a contract that comes with the service, compiled on first use.
 *
 * @throws WASM_CONTRACT_ABSENT, WASM_BUILD_FAILED.
 */
export async function builtInContract(name: string): Promise<Uint8Array> {
  const sourceFile = join(contractsDir, name, 'index.ts');
  const known = readdirSync(contractsDir).includes(name) && existsSync(sourceFile);
  if (!known) throw fault('WASM_CONTRACT_ABSENT', { name });
  return keptContract(sourceFile, name);
}

/**
 * A contract's code, compiled unless that was done before. The compiled file lies beside the source,
 * named by the digest of everything it was made from.
 *
 * @throws WASM_BUILD_FAILED.
 */
export async function keptContract(sourceFile: string, name: string): Promise<Uint8Array> {
  const folder = dirname(sourceFile);
  const outFile = join(folder, `${name}.${sourcesDigest(folder)}.wasm`);
  if (!existsSync(outFile)) {
    await buildContract(sourceFile, outFile);
    for (const file of readdirSync(folder)) {
      const isEarlier = file.startsWith(`${name}.`) && file.endsWith('.wasm');
      if (isEarlier && file !== basename(outFile)) rmSync(join(folder, file), { force: true });
    }
  }
  return new Uint8Array(readFileSync(outFile));
}

const contractsDir = join(import.meta.dirname, 'contracts');
const sdkDir = join(import.meta.dirname, 'sdk');
const sdkPrefix = 'node_modules/countersign/';
const entryFile = 'contract.ts';
const outputFile = 'contract.wasm';

const compilerOptions = Object.entries({
  outFile: outputFile,
  runtime: 'stub',
  optimizeLevel: '3',
  // Without it the optimiser inlines a function that calls itself twice into itself, without end.
  shrinkLevel: '1',
  // The start function, which contracts may not have, under the name that runs before each invocation.
  exportStart: '_initialize',
  use: 'abort=~lib/countersign/abort/abort',
}).flatMap(([name, value]) => [`--${name}`, value]);

async function compile(sourceFile: string): Promise<Uint8Array> {
  // The compiler is large and only whoever builds needs it.
  const { main } = await import('assemblyscript/asc');
  let code: Uint8Array | undefined;
  const words: string[] = [];
  const { error } = await main([entryFile, ...compilerOptions], {
    readFile: (name) => readSource(name, sourceFile),
    writeFile: (name, contents) => {
      if (name === outputFile && typeof contents !== 'string') code = contents;
    },
    listFiles: () => [],
    stdout: { write: () => undefined },
    stderr: { write: (chunk: string | Uint8Array) => void words.push(String(chunk)) },
  });
  if (error !== null || code === undefined) {
    throw fault('WASM_BUILD_FAILED', { sourceFile, reason: words.join('') }, error);
  }
  return code;
}

function readSource(name: string, sourceFile: string): string | null {
  if (name === entryFile) return readFileSync(sourceFile, 'utf8');
  const fromSdk = name.startsWith(sdkPrefix);
  const file = fromSdk
    ? join(sdkDir, name.slice(sdkPrefix.length))
    : join(dirname(sourceFile), name);
  // Nothing outside the two folders is part of a contract.
  const folder = fromSdk ? sdkDir : dirname(sourceFile);
  if (!file.startsWith(folder + sep) || !existsSync(file)) return null;
  return readFileSync(file, 'utf8');
}

function sourcesDigest(folder: string): string {
  const { version } = createRequire(import.meta.url)('assemblyscript/package.json') as {
    version: string;
  };
  const parts = [`assemblyscript ${version} ${compilerOptions.join(' ')}`];
  for (const directory of [folder, sdkDir]) {
    for (const file of readdirSync(directory).sort()) {
      if (file.endsWith('.ts')) parts.push(file, readFileSync(join(directory, file), 'utf8'));
    }
  }
  return toHex(sha256(utf8(JSON.stringify(parts)))).slice(0, 16);
}
