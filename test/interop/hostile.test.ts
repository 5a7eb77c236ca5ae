import t from 'tap';
import { toHex } from '#base';
import { validationCodeName } from '#formats';
import { HostileNetwork } from './hostile-network.ts';
import type { Judge } from './hostile-network.ts';
import { mutatedTransactions } from './mutated-transactions.ts';
import { until } from './poll.ts';
import { commitHashIn, validationCodesIn } from './stored-block.ts';
import { configurationStories } from './stories-of-configuration.ts';
import { defectsOf, idStories } from './stories-of-form.ts';
import { contractStories, contracts, keyStories } from './stories-of-policy.ts';
import { rangeStories, readStories, writeStories } from './stories-of-state.ts';
import type { Story } from './stories-of-state.ts';
import { fabricVersions } from './versions.ts';

const network = await HostileNetwork.start(t, t.testdir());
const { chain } = network;
chain.define(contracts);
const stories = { ...idStories, ...readStories, ...writeStories, ...rangeStories };
const tell = ([name, story]: [string, Story]) => {
  const first = chain.height;
  story(chain);
  return { name, first, end: chain.height };
};
const told = Object.entries({ ...stories, ...contractStories, ...keyStories }).map(tell);
const { block: defective, defects } = defectsOf(chain);
const mutants = mutatedTransactions(chain, 20_261_121, 1_000);
const mutantBlock = chain.add(...mutants.map((one) => ['NOT_VALIDATED', one] as const));
told.push(...Object.entries(configurationStories).map(tell));

const ours = await network.ours();
const stock: Judge[] = [];
for (const version of fabricVersions()) stock.push(await network.stock(version));

for (let number = 1n; number < chain.height; number += 1n) {
  network.serve(number, chain.block(number));
}
const blocksOf = new Map<string, Uint8Array[]>();
for (const { peer } of [ours, ...stock]) {
  await until(`${peer.name} at ${chain.height}`, 60_000, async () => {
    return (await peer.height()) >= chain.height;
  });
  blocksOf.set(peer.name, await peer.blocks(chain.height));
}

for (const [peer, blocks] of blocksOf) {
  const codesOf = (number: bigint) =>
    validationCodesIn(blocks[Number(number)]!).map(validationCodeName);

  for (const { name, first, end } of told) {
    t.test(`${name} (${peer})`, async (t) => {
      for (let number = first; number < end; number += 1n) {
        t.strictSame(codesOf(number), chain.codes(number).map(validationCodeName));
      }
    });
  }

  t.test(`002-16 each defect has its code (${peer})`, async (t) => {
    const codes = codesOf(defective);
    for (const [index, [code, defect]] of defects.entries()) {
      t.equal(codes[index + 1], code, defect);
    }
  });
}

for (const { peer } of stock) {
  t.test(`a thousand mutated transactions get the codes of ours (${peer.name})`, async (t) => {
    const [codes, own] = [peer, ours.peer].map(({ name }) =>
      validationCodesIn(blocksOf.get(name)![Number(mutantBlock)]!).map(validationCodeName),
    );
    t.strictSame(codes, own);
    t.ok(new Set(codes).size > 12, 'nearly every check is failed by some');
    t.ok(mutants.length > 800, `${mutants.length} are fit for a block`);
  });

  t.test(`002-17 the commit hash of every block is ours (${peer.name})`, async (t) => {
    const hashes = (name: string) =>
      blocksOf.get(name)!.map((block) => toHex(commitHashIn(block) ?? new Uint8Array(0)));
    t.strictSame(hashes(peer.name), hashes(ours.peer.name));
    t.match(hashes(peer.name).at(-1), /^[0-9a-f]{64}$/);
  });
}
