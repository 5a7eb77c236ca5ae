import { writeFileSync } from 'node:fs';
import { importPublicKey, pemBlock } from '#crypto';
import { parseOperatorPolicy, verifyCeremony } from '#custody';
import type { CeremonyReport } from '#custody';
import { signerRoles } from '#formats';
import type { SignerRole } from '#formats';
import { textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { runCeremony } from './ceremony.ts';
import { sayJson, word } from './command.ts';
import type { Command, Say } from './command.ts';
import { fault } from './faults.ts';
import { readNamed } from './named-file.ts';

/** Commands about the making of tokens before witnesses. */
export const ceremonyCommands: readonly [words: string, command: Command][] = [
  [
    'ceremony run',
    {
      form:
        'TOKENDIR --token LABEL --org ORG --keys LABEL:ROLE[,…] --operators POLICYFILE ' +
        '--key FILE,FILE[,…] --witness NAME=KEYFILE --out FILE',
      purpose: 'make a token and its keys with operators and a witness, and write the transcript',
      run: async (given, say) => {
        const out = textOption(given, 'out');
        const transcript = await runCeremony({
          tokenDir: word(given, 0, 'TOKENDIR'),
          token: textOption(given, 'token'),
          organisation: textOption(given, 'org'),
          keys: textOption(given, 'keys').split(',').map(keyOf),
          policyFile: textOption(given, 'operators'),
          operatorKeyFiles: textOption(given, 'key').split(','),
          witness: witnessOf(given),
        });
        writeFileSync(out, transcript);
        sayReport(say, verifyCeremony(readNamed(out)));
      },
    },
  ],
  [
    'ceremony verify',
    {
      form: 'FILE --operators POLICYFILE',
      purpose: 'replay a ceremony from its transcript, offline; prints the certificate requests',
      run: (given, say) => {
        const report = verifyCeremony(readNamed(word(given, 0, 'FILE')));
        // Anybody can hold a ceremony under a policy of their own.
        const { hash } = parseOperatorPolicy(readNamed(textOption(given, 'operators')));
        if (report.policyHash !== hash) throw fault('CLI_CEREMONY_FOREIGN', { hash });
        sayReport(say, report);
      },
    },
  ],
];

function keyOf(text: string): { label: string; role: SignerRole } {
  const [label = '', role = ''] = text.split(':');
  const known = signerRoles.find((one) => one === role);
  if (label === '' || known === undefined) throw fault('CLI_USAGE_WRONG', { '--keys': text });
  return { label, role: known };
}

function witnessOf(given: Arguments): { id: string; keyFile: string } {
  const text = textOption(given, 'witness');
  const at = text.indexOf('=');
  if (at < 1) throw fault('CLI_USAGE_WRONG', { '--witness': text });
  return { id: text.slice(0, at), keyFile: text.slice(at + 1) };
}

function sayReport(say: Say, { zone, policyHash, operators, witness, keys }: CeremonyReport): void {
  sayJson(say, {
    zone,
    policyHash,
    operators,
    witness,
    keys: keys.map(({ label, spki, request }) => ({
      label,
      fingerprint: importPublicKey(spki).fingerprint,
      request: pemBlock('CERTIFICATE REQUEST', request),
    })),
  });
}
