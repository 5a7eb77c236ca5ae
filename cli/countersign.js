#!/usr/bin/env node
// The command itself: TypeScript sources run as they are, on the Node.js the project came with.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const args = [inProject('scripts/run.js'), inProject('cli/main.ts'), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exitCode = status ?? 1;
