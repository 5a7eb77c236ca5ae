import { readFileSync, writeFileSync } from 'node:fs';
import { createPrivateKey, sign } from 'node:crypto';
import { join } from 'node:path';
import { fromHex, systemClock } from '#base';
import { buildCertificate, certificatePem, parsePem } from '#crypto';
import { runProvisioning } from '#softhsm-config';
import type { TestNetwork } from './test-network.ts';

const validMs = 24 * 3600 * 1000;

/**
 * Gives an organisation a second token that holds a node's role as well: another key, another
 * certificate, another signer host. To be called before the network is started.
 *
 * @returns the second node's name, and its signer host's.
 */
export async function addSecondToken(
  network: TestNetwork,
  orgName: string,
): Promise<{ node: string; signer: string }> {
  const { layout, spec } = network.network;
  const mspid = spec.organisations.find(({ name }) => name === orgName)?.mspid ?? '';
  const tokenName = `${orgName}b`;
  const node = `node1.${orgName}`;
  const signer = `signer-${tokenName}`;
  const subject = { commonName: node, organization: orgName, organizationalUnits: ['peer'] };
  const made = await runProvisioning({
    dir: layout.token(tokenName),
    label: tokenName,
    keys: [{ label: node, role: 'node', subject }],
  });
  const spki = fromHex(made.keys[0]?.publicKey ?? '') as Uint8Array;
  const certificateFile = layout.keyCertificate(node);
  writeFileSync(certificateFile, await issue(layout.ca(orgName), subject, spki));
  writeFileSync(
    layout.config(signer),
    JSON.stringify({
      socket: layout.socket(signer),
      reportSocket: layout.socket(`report-${tokenName}`),
      stateDir: layout.signerState(tokenName),
      module: made.module,
      softhsmConfig: made.softhsmConfig,
      tokenLabel: made.tokenLabel,
      pinFile: made.pinFile,
      keys: [{ label: node, role: 'node', mspid, certificateFile }],
    }),
    { mode: 0o600 },
  );
  for (const name of network.processNames.filter((one) => one.startsWith('endorser-'))) {
    network.configure(name, (config) => {
      (config['signers'] as unknown[]).push({ socket: layout.socket(signer) });
    });
  }
  network.configure('manager', (config) => {
    (config['nodes'] as unknown[]).push({ name: node, mspid, certificateFile });
    (config['signerReports'] as unknown[]).push(layout.socket(`report-${tokenName}`));
  });
  return { node, signer };
}

async function issue(
  caDir: string,
  subject: { commonName: string; organization: string; organizationalUnits: string[] },
  publicKeySpki: Uint8Array,
): Promise<string> {
  const issuer = parsePem(readFileSync(join(caDir, 'ca.pem'), 'utf8'));
  const key = createPrivateKey(readFileSync(join(caDir, 'ca.key.pem')));
  const nowMs = systemClock.nowMs();
  const der = await buildCertificate(
    {
      subject,
      issuer,
      serial: BigInt(nowMs),
      notBefore: new Date(nowMs - 60_000),
      notAfter: new Date(nowMs + validMs),
      publicKeySpki,
      keyUsages: ['digitalSignature'],
    },
    (content) => new Uint8Array(sign('sha256', content, key)),
  );
  return certificatePem(der);
}
