import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { pemBlock } from '#crypto';
import { unitOfRole } from '#hsm';
import { authoriseCaCall, requestCertificate } from '#softhsm-config';
import type { KeyInToken } from '#softhsm-config';
import { certificateSourceOf, obtainCertificate, pastedSource } from './certificate-sources.ts';
import type { CertificateSource } from './certificate-sources.ts';
import type { CaCredential } from './fabric-ca.ts';
import { keyPlaceOf } from './key-place.ts';
import type { KeyPlace } from './key-place.ts';
import { openNetwork } from './network-open.ts';
import type { NetworkLayout } from './network-layout.ts';

/**
 * A request for a key's certificate, signed by the key in its token.
 *
 * @param label a key's name, or a version of it.
 * @returns PEM.
 * @throws CLI_KEY_MISSING, SOFTHSM_…
 */
export async function keyRequest(dir: string, label: string): Promise<string> {
  const { layout, place } = placed(dir, label);
  return pemBlock('CERTIFICATE REQUEST', await requestOf(layout, place, label));
}

/**
 * Gives a key another certificate: one that an operator brings, or one of the organisation's
 * source. It counts from the next start of the processes that read it.
 *
 * @param pasted PEM.
 * @returns PEM.
 * @throws CLI_KEY_MISSING, what `obtainCertificate` throws; then the key keeps what it had.
 */
export async function certifyKey(dir: string, label: string, pasted?: string): Promise<string> {
  const { layout, place } = placed(dir, label);
  const source =
    pasted === undefined ? ownSource(layout, place, label) : pastedSource(place, pasted);
  const pem = await obtainCertificate(source, await requestOf(layout, place, label));
  const file = layout.keyCertificate(label);
  writeFileSync(`${file}.new`, pem);
  renameSync(`${file}.new`, file);
  return pem;
}

function ownSource(layout: NetworkLayout, place: KeyPlace, label: string): CertificateSource {
  const file = layout.keyCertificate(label);
  if (!existsSync(file)) return certificateSourceOf(layout, place);
  const present: CaCredential = {
    certificatePem: readFileSync(file, 'utf8'),
    authorise: (call) => authoriseCaCall(inToken(layout, place, label), call),
  };
  return certificateSourceOf(layout, place, present);
}

function requestOf(layout: NetworkLayout, place: KeyPlace, label: string): Promise<Uint8Array> {
  const { key, organisation, role } = place;
  const unit = unitOfRole[role] ?? 'client';
  return requestCertificate(inToken(layout, place, label), {
    commonName: key,
    organization: organisation,
    organizationalUnits: [unit],
  });
}

function inToken(layout: NetworkLayout, { organisation }: KeyPlace, key: string): KeyInToken {
  return { dir: layout.token(organisation), label: organisation, key };
}

function placed(dir: string, label: string): { layout: NetworkLayout; place: KeyPlace } {
  const network = openNetwork(dir);
  return { layout: network.layout, place: keyPlaceOf(network, label) };
}
