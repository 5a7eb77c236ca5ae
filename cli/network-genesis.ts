import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Block } from '#formats';
import { buildGenesisBlock } from '#policy';
import type { GenesisOrganization } from '#policy';
import type { MadeNetwork } from './process-configs.ts';
import type { MadeOrganisation } from './network-create.ts';

const nonceBytes = 24;

/** The channel's first block: every peer of the network starts from these very bytes. */
export function genesisOf(network: MadeNetwork & { now: Date }): Block {
  const { layout, spec, organisations, zone, ports, now } = network;
  const host = 'localhost';
  return buildGenesisBlock({
    channelId: spec.channel,
    time: now,
    nonce: new Uint8Array(randomBytes(nonceBytes)),
    zone: { ...groupOf(zone), endpoints: [`${host}:${ports.deliver}`] },
    consenter: {
      host,
      port: ports.deliver,
      tlsCertificate: readFileSync(layout.tls('manager').certificateFile, 'utf8'),
    },
    organizations: organisations.map(groupOf),
  });
}

function groupOf({ mspid, ca, tlsCa }: MadeOrganisation): GenesisOrganization {
  return {
    name: mspid,
    mspid,
    rootCertificates: [ca.pem],
    tlsRootCertificates: [tlsCa.pem],
  };
}
