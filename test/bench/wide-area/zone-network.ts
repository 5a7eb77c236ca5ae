import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProgram } from '../../interop/child-program.ts';
import { until } from '../../interop/poll.ts';
import { startZone, zoneProfile } from '../../interop/zone-for-clients.ts';
import type { TestNetwork } from '../../support/test-network.ts';
import type { Figure } from '../figure.ts';
import { valueOf } from '../load/load-program.ts';
import type { ClientQuestion, ClientStart } from './client-main.ts';
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

const peerMain = join(import.meta.dirname, '..', '..', '..', 'peer', 'main.ts');

/** The zone in this domain, its peers in the organisations' domains. */
export async function measureZone(domains: Domains, dir: string): Promise<Figure[]> {
  const peerNames = peerDomains.map((_name, index) => `peer-${index + 1}`);
  const away = join(dir, 'away');
  mkdirSync(away);
  await using network = await startZone(
    peerDomains.length,
    { peerCount: peerDomains.length },
    (made) => {
      // What has no configuration there is not started with the zone.
      for (const name of peerNames) {
        renameSync(made.network.layout.config(name), join(away, `${name}.json`));
      }
    },
  );
  const { ports } = network.network;
  await using area = await WideArea.start({
    domains,
    services: [
      { domain: 'zone', port: ports.http },
      { domain: 'zone', port: ports.deliver },
    ],
    clients: ['client', ...peerDomains],
    delayMs,
    flightBytesMin,
    answerBytesMin,
    dir,
  });
  await using stack = new AsyncDisposableStack();
  const observers = new Map<string, RemotePart>();
  for (const [index, domain] of peerDomains.entries()) {
    const name = peerNames[index] ?? '';
    const prefix = domains.prefix(domain);
    const peerPort = await startPeer(stack, network, join(away, `${name}.json`), prefix, name);
    const observer = new RemotePart(prefix, 'observer-main.ts', { peerPort });
    observers.set(domain, stack.use(observer));
  }
  const figures: Figure[] = [];
  for (const way of ['requests', 'gateway'] as const) {
    const [start, questions] = await askedBy(way, network);
    await using client = new RemotePart(domains.prefix('client'), 'client-main.ts', start);
    const said = way === 'gateway' ? 'Node SDK' : 'signed requests over HTTPS';
    figures.push(
      ...(await measureSingly({
        name: `zone_${way}`,
        conditions: `zone and three organisations' validating peers ${delayMs} ms apart each way, ${said} in a domain of its own`,
        area,
        client,
        clientLink: 'client zone',
        observers,
        questions,
      })),
    );
  }
  return figures;
}

async function startPeer(
  stack: AsyncDisposableStack,
  { network: { layout } }: TestNetwork,
  configFile: string,
  [command, ...args]: [string, ...string[]],
  name: string,
): Promise<number> {
  const peer = new ChildProgram({
    command,
    args: [...args, process.execPath, peerMain, configFile],
    env: process.env,
    logFile: layout.log(name),
  });
  stack.use(peer);
  peer.start();
  const file = layout.peerPortsFile(name);
  let port: number | undefined;
  await until(`${name} to be up`, 60_000, () => {
    try {
      ({ http: port } = JSON.parse(readFileSync(file, 'utf8')) as { http: number });
    } catch {
      // Not written yet.
    }
    return port !== undefined;
  });
  return port ?? 0;
}

async function askedBy(
  way: 'requests' | 'gateway',
  network: TestNetwork,
): Promise<[ClientStart, ClientQuestion[]]> {
  const indexes = Array.from({ length: transactionCount }, (_none, index) => index);
  if (way === 'gateway') {
    return [
      { profile: zoneProfile(network) },
      indexes.map((index) => ({ key: `gateway/${index}` })),
    ];
  }
  const client = await network.client('far-away');
  const requests = indexes.map((index) => ({
    request: client.sign('values', ['create', `requests/${index}`, valueOf(index)]),
  }));
  return [{ networkDir: network.dir }, requests];
}
