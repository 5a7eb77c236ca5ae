import { runCommand } from './run-command.ts';

/** `countersign COMMAND …` */
process.exitCode = await runCommand(process.argv.slice(2), {
  say: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${text}\n`),
});
