import { writeFileSync } from 'node:fs';
import { fromBase64 } from '#base';
import { parsePem } from '#crypto';
import { listTokenKeys } from '#softhsm-config';
import { dirOption, textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { certifyKey, keyRequest } from './certify-key.ts';
import { sayJson, word } from './command.ts';
import type { Command } from './command.ts';
import { fault } from './faults.ts';
import { readNamed } from './named-file.ts';
import { openNetwork } from './network-open.ts';
import { revokeKey } from './revoke-key.ts';
import { keysToRotate, rotateKey } from './rotate-key.ts';
import type { RotationApproval } from './rotate-key.ts';
import { managerTlsName, rotateManagerTls } from './rotate-tls.ts';
import { wrapKey } from './wrap-key.ts';

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
          for (const key of keys) {
            sayJson(say, { token: name, imported: !key.attributes.local, ...key });
          }
        }
      },
    },
  ],
  [
    'key csr',
    {
      form: 'NAME [--dir DIR]',
      purpose: 'print a certificate request that the key signs in its token',
      run: async (given, say) => {
        say((await keyRequest(dirOption(given), word(given, 0, 'NAME'))).trimEnd());
      },
    },
  ],
  [
    'key certify',
    {
      form: 'NAME [FILE] [--dir DIR]',
      purpose: 'give the key the certificate in FILE, or another one of its organisation’s CA',
      run: async (given, say) => {
        const name = word(given, 0, 'NAME');
        const file = given.words[1];
        const pasted = file === undefined ? undefined : readText(file);
        const { notAfter } = parsePem(await certifyKey(dirOption(given), name, pasted));
        say(`key ${name} certified until ${notAfter.toISOString()}`);
        say('restart its signer host, the endorsers and the manager: they read it when they start');
      },
    },
  ],
  [
    'key rotate',
    {
      form: 'NAME|ORG [--key FILE,FILE…] [--order FILE] [--certificate FILE] [--dir DIR]',
      purpose: 'put a new key in the place of a key, or of all keys of an organisation or the zone',
      run: async (given, say) => {
        const dir = dirOption(given);
        const approval = approvalOf(given);
        for (const key of keysToRotate(dir, word(given, 0, 'NAME|ORG'))) {
          const isTls = key === managerTlsName;
          if (isTls) sayJson(say, { key, fingerprint: await rotateManagerTls(dir) });
          else sayJson(say, await rotateKey(dir, key, approval));
        }
      },
    },
  ],
  [
    'key wrap',
    {
      form: 'KEY.pem --wrapping BASE64 --out FILE',
      purpose: 'wrap a private key under a token’s wrapping key, for an order key.import',
      run: (given, say) => {
        const wrapping = fromBase64(textOption(given, 'wrapping'));
        if (wrapping === undefined) throw fault('CLI_USAGE_WRONG', { wrapping: 'no base64' });
        const { wrapped, ...told } = wrapKey(word(given, 0, 'KEY.pem'), wrapping);
        writeFileSync(textOption(given, 'out'), wrapped);
        sayJson(say, told);
      },
    },
  ],
  [
    'key revoke',
    {
      form: 'NAME [--certificate FILE] [--crl FILE] [--dir DIR]',
      purpose: 'have the key’s certificate revoked by its CA, and put that into the channel',
      run: async (given, say) => {
        const { certificate, crl } = given.options;
        const files = {
          ...(typeof certificate === 'string' && { certificate: readText(certificate) }),
          ...(typeof crl === 'string' && { list: readText(crl) }),
        };
        sayJson(say, await revokeKey(dirOption(given), word(given, 0, 'NAME'), files));
      },
    },
  ],
];

function approvalOf({ options }: Arguments): RotationApproval {
  const { key, order, certificate } = options;
  return {
    ...(typeof key === 'string' && { operatorKeyFiles: key.split(',') }),
    ...(typeof order === 'string' && { order: readNamed(order) }),
    ...(typeof certificate === 'string' && { certificate: readText(certificate) }),
  };
}

function readText(file: string): string {
  return Buffer.from(readNamed(file)).toString('utf8');
}
