import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname } from 'node:path';
import { parse } from 'acorn';
import type { AnyNode, Comment, Program } from 'acorn';

export const projectDir = dirname(dirname(import.meta.dirname));

export interface SourceFile {
  /** From the project's directory, with `/`. */
  readonly path: string;
  /** The first directory of the path; empty for a file that stands in none. */
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly ImportedName[];
  /** Absent for AssemblyScript, which no JavaScript parser reads. */
  readonly program?: Program;
  readonly comments: readonly Comment[];
}

export interface ImportedName {
  readonly specifier: string;
  readonly line: number;
}

const leftOut = /(^|\/)(node_modules|vectors|network|demo-network|build)(\/|$)|(^|\/)\.[^/]/;

/** Paths of the project's own files that end with one of the suffixes. */
export function projectPaths(...suffixes: string[]): string[] {
  const found = globSync(
    suffixes.map((suffix) => `**/*${suffix}`),
    { cwd: projectDir, exclude: (path) => leftOut.test(path) },
  );
  return found.map((path) => path.replaceAll('\\', '/')).toSorted();
}

/**
 * Reads one source file as far as the rules need it.
 *
 * @throws SyntaxError when it is no erasable TypeScript.
 */
export function readSource(path: string): SourceFile {
  try {
    return sourceOf(path, readFileSync(`${projectDir}/${path}`, 'utf8'));
  } catch (cause) {
    throw new SyntaxError(`${path} cannot be read as erasable TypeScript`, { cause });
  }
}

export function sourceOf(path: string, text: string): SourceFile {
  const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
  const comments: Comment[] = [];
  const own = { path, folder, text, imports: importsOf(text), comments };
  if (isAssemblyScript(path)) return own;
  // Types become blanks, so every line and column stays where it was.
  const script = path.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
  const program = parse(script, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    locations: true,
    allowHashBang: true,
    onComment: comments,
  });
  return { ...own, program };
}

function isAssemblyScript(path: string): boolean {
  return path.endsWith('.as.ts') || /^wasm\/(sdk|contracts)\//.test(path);
}

/** Type imports too, which the parser no longer sees: they couple folders just as much. */
function importsOf(text: string): ImportedName[] {
  const forms = [
    /^(?:import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
    /\bnew URL\(\s*['"](\.[^'"]+\.[jt]s)['"],\s*import\.meta\.url/g,
  ];
  return forms.flatMap((form) =>
    [...text.matchAll(form)].map((match) => ({
      specifier: match[1] ?? '',
      line: lineAt(text, match.index),
    })),
  );
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Visits every node, the outer before the inner. */
export function visitNodes(program: Program | undefined, visit: (node: AnyNode) => void): void {
  if (program === undefined) return;
  const waiting: unknown[] = [program];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (Array.isArray(node)) waiting.push(...node);
    if (!isNode(node)) continue;
    visit(node);
    waiting.push(...Object.values(node));
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

// The parts of Node.js that this needs are still called experimental, once in every log.
process.removeAllListeners('warning');
