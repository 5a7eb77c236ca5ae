import type { AnyNode } from 'acorn';
import { visitNodes } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

/** Something that docs/STYLE.md or docs/ARCHITECTURE.md forbids, and where. */
export interface Finding {
  readonly line: number;
  readonly rule: string;
}

const fileLinesMax = 300;
const functionLinesMax = 70;

export function tooLong(file: SourceFile): Finding[] {
  const lines = file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
  const findings: Finding[] = [];
  if (lines > fileLinesMax) {
    findings.push({ line: lines, rule: `a file has at most ${fileLinesMax} lines` });
  }
  visitNodes(file.program, (node) => {
    if (!/^(Function|ArrowFunction)/.test(node.type)) return;
    const { start, end } = node.loc ?? { start: { line: 0 }, end: { line: 0 } };
    const length = end.line - start.line + 1;
    if (length <= functionLinesMax) return;
    const rule = `a function has at most ${functionLinesMax} lines, this one ${length}`;
    findings.push({ line: start.line, rule });
  });
  return findings;
}

// Fabric's own protobuf package is called that.
const fabricNames = new Set(['fabric-common']);
const vagueWords = new Set(['util', 'utils', 'helper', 'helpers', 'misc', 'common']);

export function badName(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const part of file.path.split('/')) {
    const name = part.replace(/(\.test|\.as|\.d)?\.[jt]s$/, '');
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
      findings.push({ line: 1, rule: `names are kebab-case: ${part}` });
    }
    const vague = fabricNames.has(name)
      ? undefined
      : name.split('-').find((word) => vagueWords.has(word));
    if (vague !== undefined) findings.push({ line: 1, rule: `a name says more than "${vague}"` });
  }
  return findings;
}

export function defaultExport(file: SourceFile): Finding[] {
  return findNodes(file, 'no default exports', ({ type }) => type === 'ExportDefaultDeclaration');
}

/** Time is an argument: only base/clock.ts asks the machine for it. */
export function ownClock(file: SourceFile): Finding[] {
  if (file.path === 'base/clock.ts' || !isProduct(file)) return [];
  return findNodes(file, 'only base/clock.ts reads the clock', (node) => {
    if (node.type === 'CallExpression') return isMember(node.callee, 'Date', 'now');
    return node.type === 'NewExpression' && isIdentifier(node.callee, 'Date') && !node.arguments[0];
  });
}

/** Only the start of a process knows its environment and may end it. */
export function ownEnvironment(file: SourceFile): Finding[] {
  const starts = /(^|[/-])main\.ts$/.test(file.path) || file.folder === 'cli';
  if (starts || !isProduct(file)) return [];
  return findNodes(
    file,
    'only */main.ts, *-main.ts and cli/ use process.env and process.exit',
    (node) => isMember(node, 'process', 'env') || isMember(node, 'process', 'exit'),
  );
}

export function unfinished(file: SourceFile): Finding[] {
  return file.comments
    .filter(({ value }) => /\b(TODO|FIXME|XXX)\b/.test(value))
    .map(({ loc }) => ({
      line: loc?.start.line ?? 1,
      rule: 'unfinished work is not left in a comment',
    }));
}

export function onlyTest(file: SourceFile): Finding[] {
  if (!file.path.endsWith('.test.ts')) return [];
  return findNodes(file, 'no test runs alone', (node) => {
    if (node.type === 'Property') return isIdentifier(node.key, 'only');
    return (
      node.type === 'CallExpression' &&
      node.callee.type === 'MemberExpression' &&
      isIdentifier(node.callee.property, 'only')
    );
  });
}

/** What one file allows itself is less than a slow machine needs: the runner has one bound for all. */
export function ownTimeout(file: SourceFile): Finding[] {
  if (!file.path.endsWith('.test.ts')) return [];
  return findNodes(
    file,
    'scripts/test.ts bounds the time of test files',
    (node) => node.type === 'CallExpression' && isMember(node.callee, 't', 'setTimeout'),
  );
}

/** Elsewhere than in faults.ts the error register's test would not find them. */
export function scatteredFaults(file: SourceFile): Finding[] {
  if (file.path.endsWith('/faults.ts') || file.folder === 'base' || !isProduct(file)) return [];
  return findNodes(
    file,
    'faults are declared in the folder’s faults.ts',
    (node) => node.type === 'CallExpression' && isIdentifier(node.callee, 'declareFaults'),
  );
}

export function isProduct({ folder }: SourceFile): boolean {
  return folder !== 'test' && folder !== 'scripts' && folder !== '';
}

function findNodes(file: SourceFile, rule: string, wanted: (node: AnyNode) => boolean): Finding[] {
  const findings: Finding[] = [];
  visitNodes(file.program, (node) => {
    if (wanted(node)) findings.push({ line: node.loc?.start.line ?? 1, rule });
  });
  return findings;
}

function isMember(node: AnyNode, object: string, property: string): boolean {
  return (
    node.type === 'MemberExpression' &&
    isIdentifier(node.object, object) &&
    isIdentifier(node.property, property)
  );
}

function isIdentifier(node: AnyNode, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}
