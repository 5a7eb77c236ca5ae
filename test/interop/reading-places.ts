/** The same chain behind the zone's services and in stock peers, for clients that read from both. */
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import type { Test } from 'tap';
import { silentLog, systemClock } from '#base';
import { openLedger } from '#ledger';
import type { Ledger } from '#ledger';
import { ConfigMemo, createValidator } from '#policy';
import { GatewayConnection } from '../manager/grpc-client.ts';
import type { Signatory } from '../manager/grpc-client.ts';
import { serveReads } from '../manager/reading-zone.ts';
import type { TestIdentity } from '../policy/test-ca.ts';
import { HostileNetwork } from './hostile-network.ts';
import { until } from './poll.ts';
import { fabricVersions } from './versions.ts';

/** Somebody who answers. */
export interface Place {
  readonly name: string;
  readonly port: number;
  /** PEM; undefined: in the clear. */
  readonly root: string | undefined;
  readonly connection: GatewayConnection;
}

const waitMsMax = 60_000;

export class ReadingPlaces {
  readonly network: HostileNetwork;
  readonly zone: Place;
  readonly stock: readonly Place[];
  readonly #ledger: Ledger;
  readonly #heights: readonly (() => Promise<bigint>)[];

  private constructor(
    network: HostileNetwork,
    ledger: Ledger,
    zone: Place,
    stock: readonly { place: Place; height: () => Promise<bigint> }[],
  ) {
    this.network = network;
    this.#ledger = ledger;
    this.zone = zone;
    this.stock = stock.map(({ place }) => place);
    this.#heights = stock.map(({ height }) => height);
  }

  static async start(t: Test): Promise<ReadingPlaces> {
    const dir = t.testdir();
    const network = await HostileNetwork.start(t, dir);
    const ledger = await openZoneLedger(t, join(dir, 'zone'));
    await ledger.init(network.chain.genesis);
    const zone = await serveZone(t, ledger);
    const stock = [];
    for (const version of fabricVersions()) {
      const { peer } = await network.stock(version);
      const place = placeOf(t, peer.name, Number(peer.address.split(':')[1]), network.tlsRoot);
      stock.push({ place, height: () => peer.height() });
    }
    return new ReadingPlaces(network, ledger, zone, stock);
  }

  /** Commits what the chain has and the places have not. */
  async commit(): Promise<void> {
    const { chain } = this.network;
    for (let number = this.#ledger.height; number < chain.height; number += 1n) {
      this.network.serve(number, chain.block(number));
      await this.#ledger.commit(chain.block(number));
    }
    for (const height of this.#heights) {
      await until('the stock peer has it', waitMsMax, async () => (await height()) >= chain.height);
    }
  }
}

export function signatoryOf(identity: TestIdentity, mspid: string): Signatory {
  return {
    serialized: identity.serialized(mspid),
    key: { privateKey: createPrivateKey(identity.keyPem) },
  };
}

async function openZoneLedger(t: Test, dir: string): Promise<Ledger> {
  const memo = new ConfigMemo();
  const validate = createValidator();
  const ledger = await openLedger({
    dir,
    log: silentLog,
    validate: (block, lookups, configBlock) => validate(block, memo.of(configBlock), lookups),
  });
  t.teardown(() => ledger[Symbol.asyncDispose]());
  return ledger;
}

async function serveZone(t: Test, ledger: Ledger): Promise<Place> {
  const memo = new ConfigMemo();
  const channelConfig = () => memo.of(ledger.configBlock);
  const source = { ledger, channelConfig, clock: systemClock, log: silentLog };
  const { port } = await serveReads(t, source);
  return placeOf(t, 'the zone', port, undefined);
}

function placeOf(t: Test, name: string, port: number, root: string | undefined): Place {
  const connection = new GatewayConnection(port, root);
  t.teardown(() => connection[Symbol.dispose]());
  return { name, port, root, connection };
}
