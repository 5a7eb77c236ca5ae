import { mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock } from '#base';
import type { JoseAlgorithm } from '#crypto';
import { readRegistry, updateRegistry } from '#manager';
import type { ClientEntry } from '#manager';
import { generateClientKey, readClientKey } from './client-key.ts';
import type { ClientKey } from './client-key.ts';
import { DevelopmentCa } from './development-ca.ts';
import type { NodeOu } from './development-ca.ts';
import { fault } from './faults.ts';
import { openNetwork } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';

export interface NewClient {
  kid: string;
  orgName: string;
  algorithm: JoseAlgorithm;
  nodeOu: NodeOu;
  grants: ClientEntry['grants'];
}

/**
 * Makes a client: a key in a file, a certificate from the organisation's development CA, an entry in
 * the whitelist.
 *
 * @throws CLI_CLIENT_NAME_INVALID, CLI_CLIENT_EXISTS, CLI_ORGANISATION_MISSING
 */
export async function newClient(dir: string, client: NewClient): Promise<void> {
  const network = openNetwork(dir);
  const { layout } = network;
  checkNew(network, client.kid);
  const org = network.spec.organisations.find(({ name }) => name === client.orgName);
  if (org === undefined) throw fault('CLI_ORGANISATION_MISSING', { organisation: client.orgName });
  const key = generateClientKey(client.algorithm);
  const certificate = await DevelopmentCa.open(layout.ca(org.name), 'ca').issueIdentity(
    { commonName: client.kid, organization: org.name, nodeOu: client.nodeOu },
    key.publicKeySpki,
    new Date(systemClock.nowMs()),
  );
  const { certificateFile, keyFile } = layout.identity(client.kid);
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
  writeFileSync(keyFile, key.toPem(), { mode: 0o600 });
  writeFileSync(certificateFile, certificate);
  register(network, client.kid, certificate, client.grants);
}

/** Puts an identity that exists already, such as an organisation's administrator, on the whitelist. */
export function admitIdentity(dir: string, kid: string, grants: ClientEntry['grants']): void {
  const network = openNetwork(dir);
  const { certificateFile } = network.layout.identity(kid);
  if (!existsSync(certificateFile)) throw fault('CLI_CLIENT_MISSING', { kid });
  register(network, kid, readFileSync(certificateFile, 'utf8'), grants);
}

export function listClients(dir: string): ClientEntry[] {
  return readRegistry(openNetwork(dir).layout.registryFile).clients;
}

/** The manager sees it within a quarter of a second. @throws CLI_CLIENT_MISSING */
export function revokeClient(dir: string, kid: string): void {
  updateRegistry(openNetwork(dir).layout.registryFile, (registry) => {
    const found = registry.clients.find((client) => client.kid === kid);
    if (found === undefined) throw fault('CLI_CLIENT_MISSING', { kid });
    found.status = 'revoked';
    return registry;
  });
}

/** The signing key of a client made here. @throws CLI_CLIENT_MISSING */
export function clientKey(dir: string, kid: string): ClientKey {
  const { keyFile } = openNetwork(dir).layout.identity(kid);
  if (!existsSync(keyFile)) throw fault('CLI_CLIENT_MISSING', { kid });
  return readClientKey(readFileSync(keyFile, 'utf8'));
}

/** The name is a directory's as well. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$/;

function checkNew({ layout }: OpenNetwork, kid: string): void {
  if (!nameForm.test(kid)) throw fault('CLI_CLIENT_NAME_INVALID', { name: kid });
  const known = readRegistry(layout.registryFile).clients.some((client) => client.kid === kid);
  if (known || existsSync(layout.identity(kid).keyFile)) throw fault('CLI_CLIENT_EXISTS', { kid });
}

function register(
  { layout }: OpenNetwork,
  kid: string,
  certificate: string,
  grants: ClientEntry['grants'],
): void {
  updateRegistry(layout.registryFile, (registry) => {
    const others = registry.clients.filter((client) => client.kid !== kid);
    return { ...registry, clients: [...others, { kid, certificate, status: 'active', grants }] };
  });
}
