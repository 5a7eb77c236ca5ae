import { join } from 'node:path';
import { fabricBinaries } from '../../interop/fabric-binaries.ts';
import { freeLoopbackPorts } from '../../interop/loopback-ports.ts';
import { StockFabric } from '../../interop/rival/stock-fabric.ts';
import { untilGatewayCommits } from '../../interop/sdk-client.ts';
import type { PeerPlace } from '../../interop/stock-peer.ts';
import { fabricVersions } from '../../interop/versions.ts';
import type { Figure } from '../figure.ts';
import {
  answerBytesMin,
  delayMs,
  flightBytesMin,
  peerDomains,
  transactionCount,
} from './conditions.ts';
import type { Domains } from './domains.ts';
import { RemotePart } from './remote-part.ts';
import { measureSingly } from './single-transactions.ts';
import { WideArea } from './wide-area.ts';

/** As short as it goes, so that the block timer does not count for the delays. */
const blockWaitMs = 10;

/** Stock Fabric: the orderer stands where the zone does, the peers in the organisations' domains. */
export async function measureStock(domains: Domains, dir: string): Promise<Figure[]> {
  const places = await placesOf(domains);
  const placeOf = (node: string) => places.get(node) as PeerPlace;
  await using area = await WideArea.start({
    domains,
    services: [...places].map(([node, { port }]) => ({ domain: domainOf(node), port })),
    clients: ['client'],
    delayMs,
    flightBytesMin,
    answerBytesMin,
    dir,
  });
  const [version] = fabricVersions();
  if (version === undefined) throw new Error('no version of Fabric');
  await using network = await StockFabric.start({
    binaries: await fabricBinaries(version),
    dir: join(dir, 'stock'),
    organisationCount: peerDomains.length,
    blockWaitMs,
    place: placeOf,
  });
  await untilGatewayCommits(network.profile());
  await using stack = new AsyncDisposableStack();
  const observers = new Map(
    peerDomains.map((name, index): [string, RemotePart] => {
      const start = { profile: network.profile(index) };
      return [name, stack.use(new RemotePart(domains.prefix(name), 'observer-main.ts', start))];
    }),
  );
  const figures: Figure[] = [];
  for (const [name, domain] of [
    ['stock', 'client'],
    ['stock_beside_its_peer', 'org1'],
  ] as const) {
    const start = { profile: network.profile() };
    await using client = new RemotePart(domains.prefix(domain), 'client-main.ts', start);
    const measured = {
      name,
      conditions: `stock Fabric (${version.name}), orderer and three organisations' peers ${delayMs} ms apart each way, blocks after ${blockWaitMs} ms, Node SDK in ${domain}'s domain`,
      area,
      client,
      clientLink: domain === 'client' ? 'client org1' : undefined,
      observers,
      questions: Array.from({ length: transactionCount }, (_none, index) => ({
        key: `${name}/${index}`,
      })),
    };
    figures.push(...(await measureSingly(measured)));
  }
  return figures;
}

function domainOf(node: string): string {
  return node === 'orderer' ? 'zone' : node;
}

/** Ports are free here, and in the other domains nothing else runs. */
async function placesOf(domains: Domains): Promise<Map<string, PeerPlace>> {
  const nodes = ['orderer', ...peerDomains];
  const ports = await freeLoopbackPorts(3 * nodes.length);
  return new Map(
    nodes.map((node): [string, PeerPlace] => {
      const [port = 0, chaincodePort = 0, operationsPort = 0] = ports.splice(0, 3);
      const prefix = domains.prefix(domainOf(node));
      return [node, { host: '127.0.0.1', port, chaincodePort, operationsPort, prefix }];
    }),
  );
}
