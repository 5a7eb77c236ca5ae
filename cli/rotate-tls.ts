import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { connect } from 'node:tls';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock, utf8 } from '#base';
import { DevelopmentCa, keyPem, spkiOf } from './development-ca.ts';
import { fault } from './faults.ts';
import { openNetwork } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';

/** What `key rotate` calls the key of the manager's endpoints; it is in a file, not in a token. */
export const managerTlsName = 'manager-tls';

const lookMs = 200;
const shownWaitMsMax = 30_000;

/**
 * Gives the manager's endpoints a new TLS key and certificate, and returns when they show it.
 * Connections that are open stay as they are.
 *
 * @returns the certificate's fingerprint: SHA-256 of its DER, hex with colons.
 * @throws CLI_ROTATION_REFUSED the endpoints do not show it in time.
 */
export async function rotateManagerTls(dir: string): Promise<string> {
  const network = openNetwork(dir);
  const { layout, spec } = network;
  const { certificateFile, keyFile } = layout.tls('manager');
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const before = new X509Certificate(readFileSync(certificateFile));
  const pem = await DevelopmentCa.open(layout.ca(spec.zone.name), 'tlsca').issueTls(
    { commonName: 'manager', ...hostsOf(before) },
    spkiOf(publicKey),
    new Date(systemClock.nowMs()),
  );
  replace(keyFile, keyPem(privateKey), 0o600);
  replace(certificateFile, pem, 0o644);
  const { fingerprint256 } = new X509Certificate(pem);
  for (const port of portsOf(network))
    await shown(port, layout.tls('manager').caFile, fingerprint256);
  return fingerprint256;
}

/** The names and addresses that the certificate before was for. */
function hostsOf({ subjectAltName = '' }: X509Certificate) {
  const entries = subjectAltName.split(', ').map((entry) => entry.split(':', 2));
  const named = (kind: string) =>
    entries.filter(([name]) => name === kind).map(([, value]) => value ?? '');
  return { dnsNames: named('DNS'), ipAddresses: named('IP Address') };
}

function portsOf({ ports }: OpenNetwork): number[] {
  return [ports.http, ports.deliver, ...Object.values(ports.organizations)];
}

function replace(file: string, text: string, mode: number): void {
  const staged = openSync(`${file}.new`, 'w', mode);
  try {
    writeSync(staged, utf8(text));
    fsyncSync(staged);
  } finally {
    closeSync(staged);
  }
  renameSync(`${file}.new`, file);
}

async function shown(port: number, caFile: string, fingerprint: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < shownWaitMsMax; waitedMs += lookMs) {
    if ((await fingerprintAt(port, caFile)) === fingerprint) return;
    await wait(lookMs);
  }
  throw fault('CLI_ROTATION_REFUSED', { key: managerTlsName, port });
}

/** @returns undefined when nobody answers, or nobody with a certificate of this CA. */
function fingerprintAt(port: number, caFile: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const ca = readFileSync(caFile);
    const socket = connect({ host: 'localhost', port, ca, ALPNProtocols: ['h2', 'http/1.1'] });
    socket.setTimeout(shownWaitMsMax, () => socket.destroy());
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256);
      socket.destroy();
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}
