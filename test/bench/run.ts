import { cpus, totalmem } from 'node:os';
import { readdirSync } from 'node:fs';
import type { Claim } from './figure.ts';

/** `npm run bench [-- CLAIM…] [--json]`: one claim per file in this folder, all when none is named. */
const notClaims = new Set(['run.ts', 'figure.ts', 'process-cpu.ts']);
const args = process.argv.slice(2);
const asJson = args.includes('--json');
const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !notClaims.has(file) && !file.startsWith('support-'))
  .map((file) => file.replace(/\.ts$/, ''));
const wanted = args.filter((arg) => !arg.startsWith('--'));

for (const name of wanted.length === 0 ? all : wanted) {
  if (!all.includes(name)) {
    process.stderr.write(`no claim ${name}; there are: ${all.join(', ')}\n`);
    process.exit(2);
  }
  const { claim } = (await import(`./${name}.ts`)) as { claim: Claim };
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  if (!asJson) process.stdout.write(`${name} on ${machine}\n`);
  for (const figure of await claim()) {
    const conditions = `${figure.conditions}; ${machine}`;
    process.stdout.write(
      asJson
        ? `${JSON.stringify({ claim: name, ...figure, conditions })}\n`
        : `  ${figure.figure.padEnd(40)} ${figure.value.toFixed(3).padStart(12)} ${figure.unit}  (${figure.conditions})\n`,
    );
  }
}
