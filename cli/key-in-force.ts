import { Buffer } from 'node:buffer';
import { SignerClient } from '#formats';
import { authoriseCaCall } from '#softhsm-config';
import type { CaCredential } from './fabric-ca.ts';
import { fault } from './faults.ts';
import type { KeyPlace } from './key-place.ts';
import type { NetworkLayout } from './network-layout.ts';

/**
 * The certificate of the version of a key that signs now, as its running signer host says.
 *
 * @param label the key's name, or that very version.
 * @returns it can make calls to a Fabric CA too.
 * @throws CLI_KEY_MISSING, BASE_LINK_… when the host does not answer.
 */
export async function keyInForce(
  layout: NetworkLayout,
  { key, organisation }: KeyPlace,
  label: string = key,
): Promise<CaCredential> {
  using host = new SignerClient(layout.socket(`report-${organisation}`));
  const found = (await host.describe()).find((one) => one.label === key);
  const held = found === undefined || found.version <= 1 ? key : `${key}~${found.version}`;
  if (found === undefined || (label !== key && label !== held)) {
    throw fault('CLI_KEY_MISSING', { key: label });
  }
  const inToken = { dir: layout.token(organisation), label: organisation, key: held };
  return {
    certificatePem: Buffer.from(found.certificate).toString('utf8'),
    authorise: (call) => authoriseCaCall(inToken, call),
  };
}
