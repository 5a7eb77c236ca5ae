import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '#base';
import { parsePem, parsePemAll, verifyIssued } from '#crypto';
import type { Certificate } from '#crypto';
import { auditLogName, verifyAuditLog } from '#custody';
import type { KnownRecord } from '#custody';
import { dirOption, textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { sayJson } from './command.ts';
import type { Command } from './command.ts';
import { fault } from './faults.ts';
import { readNamed } from './named-file.ts';
import type { NetworkLayout } from './network-layout.ts';
import { openNetwork } from './network-open.ts';

/** Commands about the audit logs of signer hosts. */
export const auditCommands: readonly [words: string, command: Command][] = [
  [
    'audit verify',
    {
      form: '[FILE --log ZONE/TOKEN --certificate FILE[,FILE…]] [--token ORG] [--known NUMBER:HASH[,…]] [--dir DIR]',
      purpose: 'verify an audit log and every order in it, offline',
      run: (given, say) => {
        const { bytes, name, certificates } = auditLogOf(given);
        const at = name.lastIndexOf('/');
        const [zone, token] = [name.slice(0, at), name.slice(at + 1)];
        const keys = certificates.map(({ publicKey }) => publicKey);
        sayJson(say, verifyAuditLog(bytes, { zone, token, keys, known: knownOption(given) }));
      },
    },
  ],
];

/** A file with all that is trusted about it, or that of a token of the network. */
function auditLogOf(given: Arguments): {
  bytes: Uint8Array;
  name: string;
  certificates: readonly Certificate[];
} {
  const [file] = given.words;
  if (file !== undefined) {
    const files = textOption(given, 'certificate').split(',');
    const certificates = files.flatMap((one) => parsePemAll(textOf(readNamed(one))));
    return { bytes: readNamed(file), name: textOption(given, 'log'), certificates };
  }
  const { layout, spec } = openNetwork(dirOption(given));
  const token = textOption(given, 'token');
  return {
    bytes: readNamed(layout.auditFile(token)),
    name: auditLogName(spec.zone.name, token),
    certificates: certificatesOf(layout, token),
  };
}

/** Those that the token's keys have or had, as far as their organisation's CA has issued them. */
function certificatesOf(layout: NetworkLayout, token: string): readonly Certificate[] {
  const ca = parsePem(textOf(readNamed(layout.caCertificate(token))));
  const files = readdirSync(layout.certificatesDir).map((name) =>
    join(layout.certificatesDir, name),
  );
  return [...files, layout.keyRecord(token)]
    .filter((file) => existsSync(file))
    .flatMap((file) => certificatesIn(readFileSync(file, 'utf8')))
    .filter((one) => verifyIssued(one, ca));
}

/** @param text PEM, or JSON with PEM in it. */
function certificatesIn(text: string): Certificate[] {
  const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
  return (text.replaceAll('\\n', '\n').match(block) ?? []).map((pem) => parsePem(pem));
}

function knownOption(given: Arguments): KnownRecord[] {
  const { known } = given.options;
  if (typeof known !== 'string') return [];
  return known.split(',').map((text) => {
    const [, sequence, hash] = /^([1-9][0-9]{0,15}):([0-9a-f]{64})$/.exec(text) ?? [];
    if (sequence === undefined || hash === undefined) {
      throw fault('CLI_USAGE_WRONG', { '--known': text });
    }
    return { sequence: Number(sequence), hash };
  });
}
