import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromHex, systemClock } from '#base';
import { parseCsr } from '#crypto';
import { Block } from '#formats';
import { runProvisioning } from '#softhsm-config';
import type { ProvisionedToken } from '#softhsm-config';
import { DevelopmentCa, keyPem, spkiOf } from './development-ca.ts';
import type { NodeOu } from './development-ca.ts';
import { makeOperators } from './development-operators.ts';
import { fault } from './faults.ts';
import { chooseLoopbackPorts } from './loopback-ports.ts';
import { genesisOf } from './network-genesis.ts';
import { NetworkLayout } from './network-layout.ts';
import { identityNames, keyLabels } from './network-spec.ts';
import type { NetworkSpec } from './network-spec.ts';
import { writeProcessConfigs } from './process-configs.ts';

/** Everything of one organisation that later steps need. */
export interface MadeOrganisation {
  name: string;
  mspid: string;
  ca: DevelopmentCa;
  tlsCa: DevelopmentCa;
  token: ProvisionedToken;
}

/** Ports chosen once: the channel's configuration and clients name the manager's, the manager its peers'. */
export interface NetworkPorts {
  http: number;
  /** The zone's own gRPC endpoint: ordering service, gateway, blocks. */
  deliver: number;
  /** gRPC endpoints that speak for one organisation each, by MSP id. */
  organizations: Record<string, number>;
  /** HTTP endpoints of the countersign peers, the first peer's first. */
  peers: number[];
}

/**
 * Makes a network: a token with its keys for each organisation and for the zone, certificates from
 * development CAs, operators, the channel's genesis block, and a configuration file for every process.
 *
 * @throws CLI_NETWORK_EXISTS, CLI_PATH_TOO_LONG, SOFTHSM_…
 */
export async function createNetwork(dir: string, spec: NetworkSpec): Promise<NetworkLayout> {
  const layout = new NetworkLayout(dir);
  if (existsSync(layout.networkFile)) throw fault('CLI_NETWORK_EXISTS', { dir: layout.dir });
  for (const made of [layout.dir, layout.runDir, layout.logDir, layout.configDir]) {
    mkdirSync(made, { recursive: true, mode: 0o700 });
  }
  const now = new Date(systemClock.nowMs());
  const organisations = await Promise.all(
    spec.organisations.map((org) => makeOrganisation(layout, org, now)),
  );
  const zone = await makeZone(layout, spec.zone, now);
  const ports = await choosePorts(layout, spec);
  await makeTls(layout, 'manager', zone.tlsCa, now);
  writeFileSync(
    layout.genesisFile,
    Block.encode(genesisOf({ layout, spec, organisations, zone, ports, now })),
  );
  const tokenNames = [...organisations, zone].map(({ name }) => name);
  makeOperators(layout, spec.zone.name, tokenNames);
  writeFileSync(layout.registryFile, `${JSON.stringify({ clients: [], organisations: [] })}\n`);
  writeProcessConfigs({ layout, spec, organisations, zone, ports });
  writeFileSync(layout.networkFile, `${JSON.stringify({ ...spec, ports }, undefined, 2)}\n`);
  return layout;
}

async function makeOrganisation(
  layout: NetworkLayout,
  org: { name: string; mspid: string },
  now: Date,
): Promise<MadeOrganisation> {
  const made = await makeAuthorities(layout, org, now, [
    { label: keyLabels.node(org.name), role: 'node', nodeOu: 'peer' },
  ]);
  for (const [name, nodeOu] of [
    [identityNames.admin(org.name), 'admin'],
    // A peer's own key must not hold the peer role: only keys in a token may endorse.
    [identityNames.transport(org.name), 'client'],
  ] as const) {
    await makeIdentity(layout, made, { name, nodeOu }, now);
  }
  await makeTls(layout, identityNames.transport(org.name), made.tlsCa, now);
  return made;
}

async function makeZone(
  layout: NetworkLayout,
  zone: { name: string; mspid: string },
  now: Date,
): Promise<MadeOrganisation> {
  const made = await makeAuthorities(layout, zone, now, [
    { label: keyLabels.ordering(zone.name), role: 'ordering', nodeOu: 'orderer' },
    { label: keyLabels.relay(zone.name), role: 'relay', nodeOu: 'client' },
    { label: keyLabels.attestation(zone.name), role: 'attestation', nodeOu: 'client' },
  ]);
  // Whoever changes what the channel says of the zone: endpoints, batches, authorities.
  const name = identityNames.admin(zone.name);
  await makeIdentity(layout, made, { name, nodeOu: 'admin' }, now);
  return made;
}

/** CAs, token and the certificates of the token's keys. */
async function makeAuthorities(
  layout: NetworkLayout,
  org: { name: string; mspid: string },
  now: Date,
  keys: readonly { label: string; role: string; nodeOu: NodeOu }[],
): Promise<MadeOrganisation> {
  const ca = await DevelopmentCa.create(layout.ca(org.name), 'ca', org.name, now);
  const tlsCa = await DevelopmentCa.create(layout.ca(org.name), 'tlsca', org.name, now);
  const token = await runProvisioning({
    dir: layout.token(org.name),
    label: org.name,
    keys: keys.map(({ label, role, nodeOu }) => ({
      label,
      role,
      subject: { commonName: label, organization: org.name, organizationalUnits: [nodeOu] },
    })),
  });
  for (const { label, nodeOu } of keys) {
    const csrHex = token.keys.find((key) => key.label === label)?.csr ?? '';
    // The request is signed by the key itself: whoever asks for the certificate holds the key.
    const csr = parseCsr(fromHex(csrHex) ?? new Uint8Array(0));
    const pem = await ca.issueIdentity(
      { commonName: label, organization: org.name, nodeOu },
      csr.publicKey.spki,
      now,
    );
    writeOwned(layout.keyCertificate(label), pem);
  }
  return { ...org, ca, tlsCa, token };
}

async function makeIdentity(
  layout: NetworkLayout,
  org: MadeOrganisation,
  identity: { name: string; nodeOu: NodeOu },
  now: Date,
): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { certificateFile, keyFile } = layout.identity(identity.name);
  const pem = await org.ca.issueIdentity(
    { commonName: identity.name, organization: org.name, nodeOu: identity.nodeOu },
    spkiOf(publicKey),
    now,
  );
  writeOwned(certificateFile, pem);
  writeOwned(keyFile, keyPem(privateKey), 0o600);
}

async function makeTls(
  layout: NetworkLayout,
  name: string,
  tlsCa: DevelopmentCa,
  now: Date,
): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { certificateFile, keyFile, caFile } = layout.tls(name);
  const pem = await tlsCa.issueTls(
    { commonName: name, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
    spkiOf(publicKey),
    now,
  );
  writeOwned(certificateFile, pem);
  writeOwned(keyFile, keyPem(privateKey), 0o600);
  writeOwned(caFile, tlsCa.pem);
}

function writeOwned(file: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode });
}

/** The channel's configuration keeps them. */
async function choosePorts(layout: NetworkLayout, spec: NetworkSpec): Promise<NetworkPorts> {
  const { organisations, peerCount } = spec;
  const count = 2 + organisations.length + peerCount;
  const [http = 0, deliver = 0, ...others] = await chooseLoopbackPorts(count, layout.dir);
  const named = organisations.map(({ mspid }, at) => [mspid, others[at] ?? 0] as const);
  const peers = others.slice(organisations.length);
  return { http, deliver, organizations: Object.fromEntries(named), peers };
}
