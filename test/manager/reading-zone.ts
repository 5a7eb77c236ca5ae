/** The services that clients read from, over a real ledger and with a clock of the test's. */
import type { Test } from 'tap';
import { silentLog } from '#base';
import type { Clock } from '#base';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import { chaincodeEventsMethod } from '../../manager/chaincode-events.ts';
import { commitStatusMethod } from '../../manager/commit-status.ts';
import { CommitWaits } from '../../manager/commit-waits.ts';
import { peerDeliverService } from '../../manager/deliver.ts';
import { buildGrpc } from '../../manager/grpc-server.ts';
import type { GrpcOptions } from '../../manager/grpc-server.ts';
import { ManualClock } from './channel.ts';
import type { TestChannel } from './channel.ts';
import { GatewayConnection } from './grpc-client.ts';
import { openTestLedger } from './test-ledger.ts';

export interface ReadingOptions extends Pick<Partial<GrpcOptions>, 'bounds' | 'listen'> {
  channelConfig?: () => ChannelConfig;
  clock?: Clock;
}

export type ReadingSource = Parameters<typeof chaincodeEventsMethod>[0] &
  Parameters<typeof peerDeliverService>[0];

/** The services over any ledger; closed with the test. */
export async function serveReads(
  t: Test,
  source: ReadingSource & { ledger: Pick<Ledger, 'onCommit'> },
  { listen = { host: '127.0.0.1', port: 0 }, bounds = {} }: ReadingOptions = {},
) {
  const commits = new CommitWaits(source.ledger);
  const server = buildGrpc({
    listen,
    services: {
      ...peerDeliverService(source),
      'gateway.Gateway': {
        CommitStatus: commitStatusMethod({ ...source, commits }),
        ChaincodeEvents: chaincodeEventsMethod(source),
      },
    },
    log: silentLog,
    bounds,
  });
  const { main: port } = await server.listen();
  t.teardown(async () => {
    commits[Symbol.dispose]();
    await server.close();
  });
  return { commits, server, port };
}

export async function startReadingZone(
  t: Test,
  channel: TestChannel,
  options: ReadingOptions = {},
) {
  const { ledger, ...making } = await openTestLedger(t, channel);
  const manual = new ManualClock();
  const { clock = manual, channelConfig = () => channel.config } = options;
  const source = { ledger, channelConfig, clock, log: silentLog };
  const { commits, server, port } = await serveReads(t, source, options);
  const connect = () => {
    const connection = new GatewayConnection(port);
    t.teardown(() => connection[Symbol.dispose]());
    return connection;
  };
  return { ledger, ...making, clock: manual, commits, server, port, connect };
}

/** Waits for what happens soon, and fails the test when it does not. */
export async function soon(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 6_000 && !condition(); round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (!condition()) throw new Error('it did not happen within a minute');
}
