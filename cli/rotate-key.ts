import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, fromBase64, systemClock, toBase64, utf8 } from '#base';
import { certificatePem } from '#crypto';
import { SignerClient, lifecycleNamespace, readRotation, rotateFunction } from '#formats';
import { readRegistry } from '#manager';
import { grantAllows } from '#policy';
import { certificateSourceOf, obtainCertificate } from './certificate-sources.ts';
import { signRequest } from './client-key.ts';
import { admitIdentity, clientKey } from './clients.ts';
import { fault } from './faults.ts';
import { keyInForce } from './key-in-force.ts';
import { keyPlaceOf } from './key-place.ts';
import type { KeyPlace } from './key-place.ts';
import type { NetworkLayout } from './network-layout.ts';
import { openNetwork, serviceOf } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';
import { identityNames, keyLabels } from './network-spec.ts';
import { carryOut, custodyClient } from './orders.ts';
import { managerTlsName } from './rotate-tls.ts';

/** What became of one key. */
export interface RotatedKey {
  readonly key: string;
  /** Label of the version that signs now. */
  readonly label: string;
  /** Number of the block that holds the rotation's record. */
  readonly block: string;
  /** The versions that were destroyed: their label, fingerprint and signatures. */
  readonly destroyed: readonly {
    readonly label: string;
    readonly fingerprint: string;
    readonly signatures: string;
  }[];
}

/** How operators said yes; without any of it two of a development network's do. */
export interface RotationApproval {
  /** Files of the keys of the operators who approve here and now. */
  readonly operatorKeyFiles?: readonly string[];
  /** A signed order `key.rotate`, approved elsewhere. */
  readonly order?: Uint8Array;
  /** PEM that an authority gave for the request of an order that was carried out before. */
  readonly certificate?: string;
}

const lifetimeSeconds = 300;
/** A new entry of the whitelist is seen within a quarter of a second. */
const whitelistWaitMs = 300;
const postsMax = 10;

/**
 * Puts a new version in the place of a key: ordered by the operators, made in the token, certified,
 * recorded on the ledger, from where on it signs; then the old version is destroyed. What was cut off
 * is gone on with.
 *
 * @throws CLI_KEY_MISSING, CLI_ROTATION_REFUSED, CLI_ORDER_WAITING, CLI_CA_…, HSM_…, CUSTODY_…
 */
export async function rotateKey(
  dir: string,
  key: string,
  approval: RotationApproval = {},
): Promise<RotatedKey> {
  const network = openNetwork(dir);
  const place = keyPlaceOf(network, key);
  using host = new SignerClient(network.layout.socket(`signer-${place.organisation}`));
  const record =
    (await recordUnderWay(host, place.key)) ??
    (await beginRotation(network, place, host, approval));
  const { next } = readRotation(record);
  // Audit logs are verified with the certificates of all versions.
  writeFileSync(network.layout.keyCertificate(next.label), certificatePem(next.certificate.der));
  const { block, receipt } = await putOnLedger(network, place, record);
  const retired = await host.retireKey(place.key, utf8(JSON.stringify(receipt)));
  return {
    key: place.key,
    label: next.label,
    block: String(block),
    destroyed: retired.map((one) => ({ ...one, signatures: String(one.signatures) })),
  };
}

/** What is rotated for a name: the key itself, or all keys of an organisation or the zone. @throws CLI_KEY_MISSING */
export function keysToRotate(dir: string, name: string): string[] {
  const network = openNetwork(dir);
  const { organisations, zone } = network.spec;
  if (organisations.some((org) => org.name === name)) return [keyLabels.node(name)];
  if (zone.name === name) {
    const labels = [keyLabels.ordering(name), keyLabels.relay(name), keyLabels.attestation(name)];
    return [...labels, managerTlsName];
  }
  if (name === managerTlsName) return [name];
  return [keyPlaceOf(network, name).key];
}

/** The record of a rotation whose old key is not destroyed yet. */
async function recordUnderWay(host: SignerClient, key: string): Promise<Uint8Array | undefined> {
  try {
    return await host.certifyKey(key, new Uint8Array(0));
  } catch (error) {
    if (error instanceof Fault && error.code === 'HSM_ROTATION_ABSENT') return undefined;
    throw error;
  }
}

async function beginRotation(
  { layout }: OpenNetwork,
  place: KeyPlace,
  host: SignerClient,
  approval: RotationApproval,
): Promise<Uint8Array> {
  const { key } = place;
  if (approval.certificate !== undefined) return host.certifyKey(key, utf8(approval.certificate));
  const made = await order(layout.dir, place, approval);
  // An order for another key would have been carried out as it says, and not be this one's.
  if (made['key'] !== key) throw fault('CLI_ROTATION_REFUSED', { key, ordered: made['key'] });
  const request = fromBase64(made['csr'] ?? '') ?? new Uint8Array(0);
  const source = certificateSourceOf(layout, place, await presentOf(layout, place));
  const pem = await obtainCertificate(source, request);
  return host.certifyKey(key, utf8(pem));
}

/** A compromised key has none: it signs nothing more. */
async function presentOf(layout: NetworkLayout, place: KeyPlace) {
  try {
    return await keyInForce(layout, place);
  } catch (error) {
    if (error instanceof Fault && error.code === 'CLI_KEY_MISSING') return undefined;
    throw error;
  }
}

/** @returns what the action answered: the label of the new version, and its request. */
async function order(
  dir: string,
  { key, organisation }: KeyPlace,
  { order: signed, operatorKeyFiles }: RotationApproval,
): Promise<Readonly<Record<string, string>>> {
  const action = 'key.rotate';
  if (signed === undefined) return carryOut(dir, organisation, action, { key }, operatorKeyFiles);
  using client = custodyClient(dir, organisation);
  const answer = await client.submit(signed);
  if (answer.state === 'executed') return answer.result;
  throw fault('CLI_ORDER_WAITING', { action, untilSeconds: answer.untilSeconds });
}

/** Bringing a record twice does no harm. @returns the number of its block, and the proof that it is there. */
async function putOnLedger(
  network: OpenNetwork,
  { organisation }: KeyPlace,
  record: Uint8Array,
): Promise<{ block?: unknown; receipt?: unknown }> {
  const kid = identityNames.admin(organisation);
  allowRotation(network, kid);
  const operations = [{ function: rotateFunction, args: [toBase64(record)] }];
  const { channel } = network.spec;
  for (let posts = 1; ; posts += 1) {
    const content = { channel, contract: lifecycleNamespace, operations, lifetimeSeconds };
    const nowMs = systemClock.nowMs();
    const jws = signRequest(clientKey(network.layout.dir, kid), kid, { ...content, nowMs });
    const { status, body } = await serviceOf(network).post(jws);
    if (status === 200) return body as { block?: unknown; receipt?: unknown };
    const { code = '' } = body as { code?: string };
    if (posts >= postsMax || !code.startsWith('MANAGER_'))
      throw fault('CLI_ROTATION_REFUSED', { code, status });
    await wait(whitelistWaitMs);
  }
}

/** An organisation's administrator brings the records of its keys, whatever else it may ask for. */
function allowRotation({ layout, spec }: OpenNetwork, kid: string): void {
  const wanted = {
    channel: spec.channel,
    contract: lifecycleNamespace,
    function: rotateFunction,
  };
  const client = readRegistry(layout.registryFile).clients.find((one) => one.kid === kid);
  const grants = client?.grants ?? [];
  if (client?.status === 'active' && grantAllows(grants, wanted)) return;
  const { channel, contract } = wanted;
  admitIdentity(layout.dir, kid, [...grants, { channel, contract, functions: [rotateFunction] }]);
}
