import { Fault } from '#base';
import { readArguments } from './arguments.ts';
import { commands, usage } from './commands.ts';
import { faultText } from './fault-text.ts';
import { fault } from './faults.ts';

export interface CommandOutput {
  say: (text: string) => void;
  /** What went wrong. */
  complain: (text: string) => void;
}

/**
 * Finds the command by the first words and runs it.
 *
 * @param args as after `countersign`.
 * @returns the exit status: 0, 1 when it failed, 2 when the command line is not understood.
 */
export async function runCommand(args: readonly string[], output: CommandOutput): Promise<number> {
  try {
    const given = readArguments(args);
    const [first = ''] = given.words;
    if (first === '' || given.options['help'] === true) {
      output.say(usage());
      return 0;
    }
    // `operator policy show` has three words, `up` has one; the longest that is known counts.
    const length = [3, 2, 1].find((count) => commands.has(given.words.slice(0, count).join(' ')));
    const command = commands.get(given.words.slice(0, length).join(' '));
    if (command === undefined) throw fault('CLI_USAGE_WRONG', { command: first });
    const words = given.words.slice(length);
    return (await command.run({ ...given, words }, output.say)) ?? 0;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    output.complain(faultText(error));
    return error.code === 'CLI_USAGE_WRONG' ? 2 : 1;
  }
}
