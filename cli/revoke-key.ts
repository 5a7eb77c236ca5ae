import { readFileSync } from 'node:fs';
import { systemClock } from '#base';
import { parseCrl, parsePem, parsePemAll, pemBlocks, verifyCrl, verifyIssued } from '#crypto';
import type { Certificate, Crl } from '#crypto';
import type { ConfigGroup } from '#formats';
import { caCallContent } from '#softhsm-config';
import type { CaCall } from '#softhsm-config';
import { addRevocationList, isRevoked } from '#policy';
import { fabricCaOf } from './certificate-sources.ts';
import { fileSigner, identitySigner, updateChannel } from './channel-update.ts';
import { DevelopmentCa } from './development-ca.ts';
import { fault } from './faults.ts';
import { keyInForce } from './key-in-force.ts';
import { keyPlaceOf, markRevoked } from './key-place.ts';
import type { KeyPlace } from './key-place.ts';
import { openNetwork } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';
import { identityNames } from './network-spec.ts';
import { currentConfig } from './ordering-service.ts';

export interface RevokedKey {
  key: string;
  mspid: string;
  /** Of the certificate, hex. */
  serial: string;
  /** Of the channel's configuration that revokes it. */
  configuration: bigint;
}

/** What is not to be looked up in the network's directory; PEM. */
export interface RevocationFiles {
  /** When the signer host is down, or for a version that signs no more. */
  certificate?: string;
  /** By the organisation's authority; asked for there when absent. */
  list?: string;
}

/**
 * Takes a key's certificate out of the channel: its authority revokes it, the organisation's
 * administrator puts the list into the configuration. What the key has endorsed counts for nothing
 * from the block behind that on; what is in earlier blocks stays.
 *
 * @param label a key's name, or a version of it.
 * @throws CLI_KEY_MISSING, CLI_KEY_REVOKED, CLI_CRL_WRONG, CLI_REGISTRAR_MISSING, CLI_CA_…,
 *   CLI_ENVELOPE_REFUSED, CLI_CALL_FAILED, BASE_LINK_…
 */
export async function revokeKey(
  dir: string,
  label: string,
  files: RevocationFiles = {},
): Promise<RevokedKey> {
  const network = openNetwork(dir);
  const place = keyPlaceOf(network, label);
  const { key, mspid, organisation } = place;
  const pem = files.certificate ?? (await keyInForce(network.layout, place, label)).certificatePem;
  const certificate = parsePem(pem);
  const authority = authorityOf(place, certificate);
  const { channelGroup } = await currentConfig(network);
  if (channelGroup !== undefined && isRevoked(channelGroup, mspid, certificate, authority)) {
    throw fault('CLI_KEY_REVOKED', { key, serial: certificate.serialHex });
  }
  const list = files.list ?? (await askForList(network, place, certificate));
  const crl = readList(list, certificate, authority);
  const admin = identitySigner(network, mspid, identityNames.admin(organisation));
  const add = (channel: ConfigGroup) => addRevocationList(channel, mspid, crl);
  markRevoked(network.layout, organisation, certificate.publicKey);
  const configuration = await updateChannel(network, add, [admin]);
  return { key: label, mspid, serial: certificate.serialHex, configuration };
}

/** @throws CLI_CRL_WRONG no authority of the organisation issued the certificate. */
function authorityOf({ key, authorities }: KeyPlace, certificate: Certificate): Certificate {
  const found = parsePemAll(authorities).find((one) => verifyIssued(certificate, one));
  if (found === undefined) throw fault('CLI_CRL_WRONG', { key, reason: 'foreign certificate' });
  return found;
}

async function askForList(
  { layout }: OpenNetwork,
  place: KeyPlace,
  certificate: Certificate,
): Promise<string> {
  const { organisation } = place;
  const fabric = fabricCaOf(layout, organisation);
  if (fabric === undefined) {
    const now = new Date(systemClock.nowMs());
    return DevelopmentCa.open(layout.ca(organisation), 'ca').revoke(certificate.serialNumber, now);
  }
  const { ca, registrar } = fabric;
  if (registrar === undefined) throw fault('CLI_REGISTRAR_MISSING', { organisation });
  const certificatePem = readFileSync(registrar.certificateFile, 'utf8');
  const sign = fileSigner(readFileSync(registrar.keyFile, 'utf8'));
  const authorise = (call: CaCall) => sign(caCallContent(call));
  return ca.revoke({ certificatePem, authorise }, certificate);
}

/** A list that peers could not use would do harm in the configuration, or nothing. */
function readList(pem: string, { serialHex }: Certificate, authority: Certificate): Crl {
  const [der, ...more] = pemBlocks(pem, 'X509 CRL');
  const wrong = (reason: string) => fault('CLI_CRL_WRONG', { reason, serial: serialHex });
  if (der === undefined || more.length > 0) throw wrong('not one list');
  const crl = parseCrl(der);
  // Stock peers look a list's authority up by this, and take no identity while one lacks it.
  if (crl.authorityKeyId === undefined) throw wrong('names no authority');
  if (!verifyCrl(crl, authority)) throw wrong('not by the authority of the certificate');
  if (!crl.revoked.has(serialHex)) throw wrong('does not name the certificate');
  return crl;
}
