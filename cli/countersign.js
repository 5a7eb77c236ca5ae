#!/usr/bin/env node
// The command itself: TypeScript sources run as they are, on the Node.js the project came with.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodePath } from '../scripts/node-path.js';

const node = nodePath();
if (node === undefined) {
  console.error('Node.js 24 is missing: run "node scripts/setup.js" first.');
  process.exit(1);
}
const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const { status } = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
