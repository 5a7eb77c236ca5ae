import { listTokenKeys } from '#softhsm-config';
import { dirOption } from './arguments.ts';
import { sayJson } from './command.ts';
import type { Command } from './command.ts';
import { openNetwork } from './network-open.ts';

/** Commands about the keys in tokens and their certificates. */
export const keyCommands: readonly [words: string, command: Command][] = [
  [
    'key list',
    {
      form: '[--dir DIR]',
      purpose: 'show the keys in the network’s tokens and their attributes',
      run: async (given, say) => {
        const { layout, spec } = openNetwork(dirOption(given));
        for (const { name } of [...spec.organisations, spec.zone]) {
          const keys = await listTokenKeys({ dir: layout.token(name), label: name });
          for (const key of keys) sayJson(say, { token: name, ...key });
        }
      },
    },
  ],
];
