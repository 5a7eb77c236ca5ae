import { textOf } from '#base';
import { parsePemAll } from '#crypto';
import { FabricMspConfig, MspConfig } from '#formats';
import type { ChannelConfig } from '#policy';

/** The authorities, roots and intermediates, that the channel's ordering organisations certify by. X.509 DER. */
export function knownAuthorities({ config }: ChannelConfig): Uint8Array[] {
  const organisations = config.channelGroup?.groups.get('Orderer')?.groups.values() ?? [];
  return [...organisations].flatMap((organisation) => {
    const value = organisation.values.get('MSP')?.value;
    if (value === undefined) return [];
    const { rootCerts, intermediateCerts } = FabricMspConfig.decode(MspConfig.decode(value).config);
    return [...rootCerts, ...intermediateCerts].flatMap(derOf);
  });
}

function derOf(pem: Uint8Array): Uint8Array[] {
  return parsePemAll(textOf(pem)).map(({ der }) => der);
}
