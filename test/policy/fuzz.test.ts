import t from 'tap';
import { Fault, emptyBytes } from '#base';
import { Block, Config, SerializedIdentity, validationCodes } from '#formats';
import { ChannelConfig, buildGenesisBlock, parsePolicyText, validateTransaction } from '#policy';
import { editedConfig } from './test-channel.ts';
import { transactionOf, write } from './test-transaction.ts';
import { config, creator, endorsers, good, lookups, spec } from './test-validation.ts';

/** A small deterministic generator (mulberry32), so that a failure can be run again. */
function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to three bytes changed, or a piece cut out, doubled or cut off. */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random(40));
  switch (random(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    default: {
      const copy = Uint8Array.from(bytes);
      for (let count = 0; count <= random(3); count += 1) copy[random(copy.length)] = random(256);
      return copy;
    }
  }
}

/** Runs the reader over mutations; anything but an answer or a Fault fails the test. */
function survive(
  t: Tap,
  title: string,
  rounds: number,
  read: (random: (below: number) => number) => void,
): void {
  const random = seededRandom(rounds);
  let answers = 0;
  let faults = 0;
  for (let round = 0; round < rounds; round += 1) {
    try {
      read(random);
      answers += 1;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults += 1;
    }
  }
  t.equal(answers + faults, rounds, `${title}: ${answers} answers, ${faults} faults`);
}

interface Tap {
  equal(found: number, wanted: number, message: string): unknown;
}

t.test('a mutated transaction gets one of the codes', async (t) => {
  const bytes = transactionOf({
    ...good,
    creator,
    endorsers: endorsers.slice(0, 2),
    namespaces: [{ namespace: 'notary', writes: [write('a'), write('b')] }],
  });
  const codes = new Set<number>(Object.values(validationCodes));
  const seen = new Set<number>();
  survive(t, 'transactions', 1_500, (random) => {
    const { code } = validateTransaction(config, mutate(bytes, random), lookups);
    if (!codes.has(code)) throw new TypeError(`unknown code ${code}`);
    seen.add(code);
  });
  t.ok(seen.has(validationCodes.BAD_CREATOR_SIGNATURE));
});

t.test('a mutated result under a good signature gets a code', async (t) => {
  const seen = new Set<number>();
  survive(t, 'results', 400, (random) => {
    const bytes = transactionOf({
      ...good,
      endorsers: endorsers.slice(0, 2),
      data: ({ actions }) => mutate(actions[0]!.payload, random),
      ...(random(2) === 0
        ? {
            data: undefined,
            chaincodeAction: { results: mutate(lifelikeResults, random) },
          }
        : {}),
    });
    seen.add(validateTransaction(config, bytes, lookups).code);
  });
  t.ok(seen.has(validationCodes.INVALID_ENDORSER_TRANSACTION));
  t.ok(seen.has(validationCodes.BAD_RWSET));
});

const lifelikeResults = Buffer.from(
  '0801121c0a066e6f74617279121212100a036b6579100018002203616263220061',
  'hex',
);

t.test('a mutated configuration is read or refused', async (t) => {
  const bytes = Config.encode(editedConfig(spec, () => undefined));
  survive(t, 'configurations', 400, (random) => {
    ChannelConfig.fromConfig('trade', Config.decode(mutate(bytes, random)));
  });
});

t.test('a mutated genesis block is read or refused', async (t) => {
  const bytes = Block.encode(buildGenesisBlock(spec));
  survive(t, 'blocks', 300, (random) => {
    const block = Block.decode(mutate(bytes, random));
    ChannelConfig.fromBlock(block).verifyBlockSignature(block);
  });
});

t.test('a mutated identity is one of the channel or refused', async (t) => {
  const [endorser] = endorsers;
  const bytes = endorser!.identity.serialized(endorser!.mspid);
  const { der } = endorser!.identity.certificate;
  const at = new Date('2024-06-01T00:00:00Z');
  survive(t, 'identities', 800, (random) => {
    const identity = config.identity(mutate(bytes, random));
    config.verifySignature(identity, emptyBytes, emptyBytes);
  });
  survive(t, 'certificates', 400, (random) => {
    config.identityOfCertificate(mutate(der, random), at);
  });
  t.equal(SerializedIdentity.decode(bytes).mspid, 'Org1MSP');
});

t.test('a mutated policy text is a policy or refused', async (t) => {
  const text = "AND(OR('A.peer', 'B.peer'), OutOf(2, 'C.member', 'D.admin', 'E.client'))";
  survive(t, 'texts', 3_000, (random) => {
    parsePolicyText(Buffer.from(mutate(Buffer.from(text), random)).toString('latin1'));
  });
});

t.test('a mutated contract policy satisfies nobody or somebody, and never fails', async (t) => {
  const policy = lookups.definition('notary')!.applicationPolicy;
  survive(t, 'policies', 1_000, (random) => {
    config.evaluateApplicationPolicy(mutate(policy, random), []);
  });
});
