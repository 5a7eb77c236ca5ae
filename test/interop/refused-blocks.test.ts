import t from 'tap';
import { HostileNetwork } from './hostile-network.ts';
import type { Judge } from './hostile-network.ts';
import { until } from './poll.ts';
import { contracts } from './stories-of-policy.ts';
import { StockPeer } from './stock-peer.ts';
import { unfitBlocks } from './unfit-blocks.ts';
import type { Outcome } from './unfit-blocks.ts';
import { fabricVersions } from './versions.ts';

const waitMsMax = 60_000;

for (const version of fabricVersions()) {
  t.test(`unfit blocks (${version.name})`, async (t) => {
    const network = await HostileNetwork.start(t, t.testdir());
    const { chain } = network;
    chain.define(contracts);
    network.serve(1n, chain.block(1n));
    const ours = await network.ours();
    const stock = await network.stock(version);

    const bothAt = async (height: bigint) => {
      for (const { peer } of [ours, stock]) {
        if (peer instanceof StockPeer && peer.pid === undefined) await peer.start();
        await until(`${peer.name} at ${height}`, waitMsMax, async () => {
          return (await peer.height()) >= height;
        });
      }
    };

    await bothAt(chain.height);
    for (const [name, { of, before3 }] of Object.entries(unfitBlocks)) {
      const expected = stock.checksChain ? 'refused' : before3;
      if (expected === undefined) continue;
      // A stock peer before 3.0 takes a block with fewer metadata entries for the good one.
      await t.test(`002-16 ${name} is not committed (stock: ${expected})`, async (t) => {
        const number = chain.height;
        const envelope = chain.transaction();
        network.serve(number, of(chain, envelope));
        const outcomes = [ours, stock].map((judge) => outcomeOf(network, judge, number));
        t.strictSame(await Promise.all(outcomes), ['refused', expected]);
        t.equal(await ours.peer.height(), number);

        chain.append(['VALID', envelope]);
        network.serve(number, chain.block(number));
        await bothAt(chain.height);
        t.strictSame(await ours.peer.commitHash(number), await stock.peer.commitHash(number));
      });
    }
  });
}

async function outcomeOf(
  network: HostileNetwork,
  judge: Judge,
  number: bigint,
): Promise<Outcome | undefined> {
  const { peer } = judge;
  const look = async (): Promise<Outcome | undefined> => {
    if (peer instanceof StockPeer && peer.pid === undefined) return 'died';
    if (network.timesAsked(judge, number) > 0) return 'refused';
    // It may be dying right now.
    const height = await peer.height().catch(() => number);
    return height > number ? 'committed' : undefined;
  };
  let outcome: Outcome | undefined;
  await until(`what ${peer.name} does with block ${number}`, waitMsMax, async () => {
    outcome = await look();
    return outcome !== undefined;
  });
  return outcome;
}
