import { Fault } from '#base';
import { readArguments } from './arguments.ts';
import { commands, usage } from './commands.ts';
import { fault } from './faults.ts';

/** `countersign COMMAND …`: finds the command by its first words and runs it. */
async function main(): Promise<void> {
  const given = readArguments(process.argv.slice(2));
  const [first = '', second = ''] = given.words;
  if (first === '' || given.options['help'] === true) {
    process.stdout.write(usage());
    return;
  }
  const two = commands.get(`${first} ${second}`);
  const command = two ?? commands.get(first);
  if (command === undefined) throw fault('CLI_USAGE_WRONG', { command: first });
  await command.run({ ...given, words: given.words.slice(two === undefined ? 1 : 2) });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  const facts = Object.entries(error.detail).map(
    ([name, value]) => `  ${name}: ${String(value)}\n`,
  );
  process.stderr.write(`${error.code}: ${error.message}\n${facts.join('')}`);
  process.exitCode = error.code === 'CLI_USAGE_WRONG' ? 2 : 1;
}
