import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { TapSummary } from './tap-summary.ts';

// Usage: node scripts/run.js scripts/test.ts [--interop] [TAP OPTION or FILE...]

const projectDir = dirname(import.meta.dirname);
const interop = process.argv[2] === '--interop';
const given = process.argv.slice(interop ? 3 : 2);
const files = given.some((argument) => !argument.startsWith('-')) ? [] : ownFiles();
// Stock peers load every core by themselves and take their time.
const options = interop ? ['--jobs=1', '--timeout=900'] : [];
// On a terminal tap's own reporter shows the progress; a log wants lines, and a count to end it.
const live = process.stdout.isTTY || given.some((argument) => /^(-R|--reporter)/.test(argument));
if (!live) options.push('--reporter=tap');

const tap = join(projectDir, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
const runner = spawn(process.execPath, [tap, 'run', ...options, ...given, ...files], {
  cwd: projectDir,
  stdio: ['inherit', live ? 'inherit' : 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => runner.kill(signal));
}
const summary = new TapSummary((line) => process.stdout.write(`${line}\n`));
if (runner.stdout !== null) {
  createInterface({ input: runner.stdout }).on('line', (line) => summary.line(line));
}
runner.on('close', (code) => {
  const { passed, failed, skipped } = summary.counts;
  if (!live) process.stdout.write(`# tests: ${passed} pass, ${failed} fail, ${skipped} skip\n`);
  process.exitCode = code === 0 && failed > 0 ? 1 : (code ?? 1);
});

function ownFiles(): string[] {
  const pattern = interop ? 'test/interop/*.test.ts' : 'test/**/*.test.ts';
  const apart = interop ? [] : ['test/interop/**', 'test/bench/**'];
  return globSync(pattern, { cwd: projectDir, exclude: apart }).toSorted();
}
