import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { runTestFiles } from './run-test-files.ts';
import { TapSummary } from './tap-summary.ts';

// Usage: node scripts/run.js scripts/test.ts [--interop] [FILE...]

const projectDir = dirname(import.meta.dirname);
const interop = process.argv[2] === '--interop';
const given = process.argv.slice(interop ? 3 : 2);
// Two networks side by side keep two cores busy while tests wait; stock peers load every core by
// themselves, and take their time.
const bounds = interop ? { jobs: 1, secondsMax: 900 } : { jobs: 2, secondsMax: 300 };

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort());
}
const summary = new TapSummary((line) => process.stdout.write(`${line}\n`));
await runTestFiles({
  projectDir,
  files: given.length > 0 ? given : ownFiles(),
  ...bounds,
  line: (line) => summary.line(line),
  signal: stop.signal,
});
const { passed, failed, skipped } = summary.counts;
process.stdout.write(`# tests: ${passed} pass, ${failed} fail, ${skipped} skip\n`);
process.exitCode = stop.signal.aborted || failed > 0 ? 1 : 0;

function ownFiles(): string[] {
  const pattern = interop ? 'test/interop/*.test.ts' : 'test/**/*.test.ts';
  const apart = interop ? [] : ['test/interop/**', 'test/bench/**'];
  return globSync(pattern, { cwd: projectDir, exclude: apart }).toSorted();
}
