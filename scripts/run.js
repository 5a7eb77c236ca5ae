import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import { binDir, compileCacheVariable, nodeMajorMin, nodePath } from './node-path.js';

// Plain JavaScript, because the Node.js that starts it may not know TypeScript yet.
// Usage: node scripts/run.js ENTRY.ts [ARGUMENT...]

const node = nodePath();
if (node === undefined) {
  console.error(`Node.js ${nodeMajorMin} is missing: run "node scripts/setup.js" first.`);
  process.exit(1);
}

const child = spawn(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: {
    ...process.env,
    ...compileCacheVariable(),
    PATH: `${binDir}${delimiter}${process.env.PATH ?? ''}`,
  },
});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// A terminal sends its interrupt to the child as well; a second one would cut its shutdown short.
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});
child.on('error', (error) => {
  console.error(`${node} does not start: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
