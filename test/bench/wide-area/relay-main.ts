import { createServer, connect } from 'node:net';
import { WideAreaRelay } from '../../support/wide-area-relay.ts';
import { answerQuestions } from './remote-part.ts';

/** What one domain's end of the wide area does. */
export interface RelayStart {
  delayMs: number;
  flightBytesMin: number;
  answerBytesMin: number;
  /** Ports of this domain that others reach, each through a socket file. */
  offered: { port: number; socketFile: string }[];
  /** Ports of others, reached on loopback as if they were here. */
  reached: { domain: string; port: number; socketFile: string }[];
}

/** Runs in a domain: gives away its services, and brings the others' here, late and counted. */
answerQuestions(async (given) => {
  const start = given as RelayStart;
  for (const { port, socketFile } of start.offered) {
    const server = createServer({ noDelay: true }, (trunk) => {
      const service = connect(port, '127.0.0.1');
      service.setNoDelay(true);
      trunk.pipe(service);
      service.pipe(trunk);
      trunk.on('error', () => service.destroy());
      service.on('error', () => trunk.destroy());
      trunk.on('close', () => service.destroy());
      service.on('close', () => trunk.destroy());
    });
    await new Promise<void>((resolve) => server.listen(socketFile, resolve));
  }
  const relays = new Map<string, WideAreaRelay>();
  for (const { domain, port, socketFile } of start.reached) {
    const relay =
      relays.get(domain) ??
      new WideAreaRelay(start.delayMs, start.flightBytesMin, start.answerBytesMin);
    relays.set(domain, relay);
    await relay.listen(port, () => connect(socketFile));
  }
  return async () =>
    Object.fromEntries([...relays].map(([domain, relay]) => [domain, relay.takeCounts()]));
});
