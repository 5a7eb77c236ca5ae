import { equalBytes } from '#base';
import { pemBlock } from '#crypto';
import type { Certificate, Crl } from '#crypto';
import { FabricMspConfig, MspConfig } from '#formats';
import type { ConfigGroup } from '#formats';
import { readRevocationList } from './msp.ts';

const crlLabel = 'X509 CRL';

/**
 * Puts a revocation list into the provider of an organisation, wherever the channel names it. A list
 * of the same authority is left out when the new one revokes all that it revokes.
 *
 * @param channel changed.
 * @returns how many groups name the organisation.
 */
export function addRevocationList(channel: ConfigGroup, mspid: string, crl: Crl): number {
  const pem = new TextEncoder().encode(pemBlock(crlLabel, crl.der));
  return eachProvider(channel, mspid, (provider) => {
    const kept = provider.revocationList.filter(
      (known) => !saysAllOf(crl, readRevocationList(known)),
    );
    return { ...provider, revocationList: [...kept, pem] };
  });
}

/** Whether a provider of the organisation revokes a certificate that the authority issued. */
export function isRevoked(
  channel: ConfigGroup,
  mspid: string,
  { serialHex }: Certificate,
  authority: Certificate,
): boolean {
  let found = false;
  eachProvider(channel, mspid, (provider) => {
    found ||= provider.revocationList
      .map(readRevocationList)
      .some((crl) => isOf(crl, authority.subjectKeyId) && crl.revoked.has(serialHex));
    return provider;
  });
  return found;
}

function saysAllOf(crl: Crl, known: Crl): boolean {
  return isOf(known, crl.authorityKeyId) && known.revoked.isSubsetOf(crl.revoked);
}

function isOf({ authorityKeyId }: Crl, keyId: Uint8Array | undefined): boolean {
  return authorityKeyId !== undefined && keyId !== undefined && equalBytes(authorityKeyId, keyId);
}

function eachProvider(
  channel: ConfigGroup,
  mspid: string,
  change: (provider: FabricMspConfig) => FabricMspConfig,
): number {
  let count = 0;
  for (const section of ['Application', 'Orderer']) {
    for (const { values } of channel.groups.get(section)?.groups.values() ?? []) {
      const value = values.get('MSP');
      if (value === undefined) continue;
      const { type, config } = MspConfig.decode(value.value);
      const provider = FabricMspConfig.decode(config);
      if (provider.name !== mspid) continue;
      const changed = FabricMspConfig.encode(change(provider));
      values.set('MSP', { ...value, value: MspConfig.encode({ type, config: changed }) });
      count += 1;
    }
  }
  return count;
}
