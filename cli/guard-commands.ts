import { writeFileSync } from 'node:fs';
import { toBase64 } from '#base';
import { SignerClient } from '#formats';
import { dirOption, textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import type { Command, Say } from './command.ts';
import { openNetwork } from './network-open.ts';

/** Commands about the guards of signer hosts; what changes one is ordered by operators. */
export const guardCommands: readonly [words: string, command: Command][] = [
  [
    'guard export',
    {
      form: '[--token ORG] --out FILE [--dir DIR]',
      purpose:
        'write where a guard stands, signed by its host, for an order guard.import marks=@FILE',
      run: exportMarks,
    },
  ],
];

async function exportMarks(given: Arguments, say: Say): Promise<void> {
  const { layout } = openNetwork(dirOption(given));
  using host = new SignerClient(layout.socket(`signer-${textOption(given, 'token')}`));
  const out = textOption(given, 'out');
  writeFileSync(out, toBase64(await host.guardMarks()));
  say(`${out} says where the guard stands.`);
}
