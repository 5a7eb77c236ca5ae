import type { Figure } from './figure.ts';
import { Domains, whyNoDomains } from './wide-area/domains.ts';
import { RemotePart } from './wide-area/remote-part.ts';

/**
 * Consensus across domains: a client, the zone and three organisations' peers, each in a network
 * namespace of its own with 40 ms each way between them; stock Fabric with the same peers and delays.
 */
export async function claim(): Promise<Figure[]> {
  const reason = whyNoDomains();
  if (reason !== undefined) {
    process.stdout.write(`  skipped: ${reason}\n`);
    return [];
  }
  await using domains = await Domains.make(['client', 'zone', 'org1', 'org2', 'org3']);
  // What measures starts the zone as its own children, so it lives in the zone's domain.
  await using measuring = new RemotePart(domains.prefix('zone'), 'measure-main.ts', domains.id);
  const stock = await measuring.ask<Figure[]>('stock');
  return [...stock, ...(await measuring.ask<Figure[]>('zone'))];
}
