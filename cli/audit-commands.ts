import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { textOf, toBase64Url } from '#base';
import { parsePem, parsePemAll, verifyIssued } from '#crypto';
import type { Certificate } from '#crypto';
import { segmentsIn, signatureLogName, verifyAuditLog, verifySignatureLog } from '#custody';
import type { KnownRecord } from '#custody';
import { countOption, dirOption, textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { auditLedger } from './audit-ledger.ts';
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
      form: '[FILE|DIRECTORY --log NAME --certificate FILE[,FILE…]] [--token ORG] [--known NUMBER:HASH[,…]] [--known-signatures NUMBER:HASH[,…]] [--anchored COUNT] [--ledger DIRECTORY [--from-block NUMBER]] [--dir DIR]',
      purpose:
        'verify the logs of a token’s orders and signatures, offline, and a ledger against them',
      run: (given, say) => sayJson(say, verifyLogs(given)),
    },
  ],
];

/** What is trusted about logs, and where they are. */
interface LogPlaces {
  readonly zone: string;
  readonly token: string;
  readonly certificates: readonly Certificate[];
  readonly orderFile?: string;
  readonly signatureDir?: string;
}

function verifyLogs(given: Arguments) {
  const { zone, token, certificates, orderFile, signatureDir } = placesOf(given);
  const keys = certificates.map(({ publicKey }) => publicKey);
  const of = { zone, token, keys, anchored: numberOption(given, 'anchored') };
  const orders =
    orderFile === undefined
      ? {}
      : verifyAuditLog(readNamed(orderFile), { ...of, known: knownOption(given, 'known') });
  if (signatureDir === undefined) return orders;
  const recorded = new Set<string>();
  const wanted = given.options['ledger'];
  const signatures = verifySignatureLog(
    segmentsOf(signatureDir),
    { ...of, known: knownOption(given, 'known-signatures') },
    ({ digest }) => wanted !== undefined && recorded.add(toBase64Url(digest)),
  );
  if (typeof wanted !== 'string') return { ...orders, signatures };
  const ledger = auditLedger(wanted, keys, recorded, numberOption(given, 'from-block'));
  return { ...orders, signatures, ledger };
}

function* segmentsOf(dir: string): Generator<Uint8Array> {
  for (const { path } of segmentsIn(dir)) yield readNamed(path);
}

/** A file or directory with all that is trusted about it, or those of a token of the network. */
function placesOf(given: Arguments): LogPlaces {
  const [path] = given.words;
  if (path === undefined) {
    const { layout, spec } = openNetwork(dirOption(given));
    const token = textOption(given, 'token');
    const certificates = certificatesOf(layout, token);
    const places = { zone: spec.zone.name, token, certificates };
    const orderFile = layout.auditFile(token);
    return { ...places, orderFile, signatureDir: layout.signatureLog(token) };
  }
  const files = textOption(given, 'certificate').split(',');
  const certificates = files.flatMap((one) => parsePemAll(textOf(readNamed(one))));
  const name = textOption(given, 'log');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const token = name.replace(/\/signatures$/, '');
    if (signatureLogName(token) !== name) throw fault('CLI_USAGE_WRONG', { '--log': name });
    return { zone: '', token, certificates, signatureDir: path };
  }
  const at = name.lastIndexOf('/');
  const [zone, token] = [name.slice(0, at), name.slice(at + 1)];
  return { zone, token, certificates, orderFile: path };
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

/** @returns undefined when the option is not given. */
function numberOption(given: Arguments, name: string): bigint | undefined {
  const has = given.options[name] !== undefined;
  return has ? BigInt(countOption(given, name, Number.MAX_SAFE_INTEGER)) : undefined;
}

function knownOption(given: Arguments, option: string): KnownRecord[] {
  const known = given.options[option];
  if (typeof known !== 'string') return [];
  return known.split(',').map((text) => {
    const [, sequence, hash] = /^([1-9][0-9]{0,15}):([0-9a-f]{64})$/.exec(text) ?? [];
    if (sequence === undefined || hash === undefined) {
      throw fault('CLI_USAGE_WRONG', { [`--${option}`]: text });
    }
    return { sequence: Number(sequence), hash };
  });
}
