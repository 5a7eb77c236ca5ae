import { Chance } from './chance.ts';
import { configSteps } from './config-steps.ts';
import { mutationNames } from './mutation-kinds.ts';
import { madePolicies } from './policies-made.ts';
import { rangeKinds, readKinds, writeKinds } from './recipe.ts';
import type {
  BlockRecipe,
  MutationRecipe,
  NamespaceRecipe,
  PolicyRecipe,
  Recipe,
  TransactionRecipe,
} from './recipe.ts';

/** @returns the same recipe for the same seed, names of people and count. */
export function generateRecipe(options: {
  seed: number;
  blocks: number;
  people: readonly string[];
}): Recipe {
  const generator = new Generator(options.seed, options.people);
  const blocks = [generator.definitions()];
  while (blocks.length < options.blocks) blocks.push(generator.block());
  return { blocks };
}

const enough = ['org1.peer', 'org2.peer', 'org3.peer'];
const twoOfThree = "OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";
const anyPeer = "OR('Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";

const policyTexts: readonly PolicyRecipe[] = [
  twoOfThree,
  anyPeer,
  "AND('Org1MSP.peer', 'Org3MSP.peer')",
  "OR('Org1MSP.member')",
  "OR('Org1MSP.admin', 'Org2MSP.client')",
  "OR('Org1MSP.orderer', 'ZoneMSP.member')",
  "AND('Org1MSP.peer', OR('Org2MSP.peer', 'Org3MSP.admin'))",
  "OutOf(2, AND('Org1MSP.peer', 'Org2MSP.peer'), OR('Org3MSP.peer', 'Org4MSP.member'), 'Org1MSP.member')",
  "AND('Org1MSP.member', 'Org1MSP.peer')",
  "OR('Org9MSP.member')",
];

const policyPaths: readonly PolicyRecipe[] = [
  '/Channel/Application/Endorsement',
  '/Channel/Application/Writers',
  '/Channel/Application/Org1/Endorsement',
  '/Channel/Application/Org4/Admins',
  '/Channel/Application/Admins',
  '/Channel/Readers',
  '/Channel/Orderer/BlockValidation',
  '/Channel/Application/Nowhere',
  '@Endorsement',
  '@',
  '/',
];

/** Contracts that every chain has; others come and change as it goes. */
const firstContracts: readonly (readonly [name: string, policy: PolicyRecipe])[] = [
  ['notary', twoOfThree],
  ['open', anyPeer],
  ['strict', "AND('Org1MSP.peer', 'Org3MSP.peer')"],
  ['referring', '/Channel/Application/Endorsement'],
];

const laterContracts = ['new', 'late', 'odd', 'other'];

const keys = [
  ...Array.from({ length: 32 }, (_, index) => `k${index.toString(16)}`),
  'é',
  '\uffff',
  '\u{10000}',
  '\u0000owner\u0000ann\u0000',
];
const bounds = ['', 'k', 'k2', 'k5', 'k8', 'ka', 'l', '\u{10ffff}'];

class Generator {
  readonly #chance: Chance;
  readonly #people: readonly string[];
  readonly #sequences = new Map<string, number>();
  #nonces = 0;

  constructor(seed: number, people: readonly string[]) {
    this.#chance = new Chance(seed);
    this.#people = people;
  }

  definitions(): BlockRecipe {
    return {
      transactions: firstContracts.map(([name, policy]) => this.#definition(name, policy, [])),
    };
  }

  block(): BlockRecipe {
    const chance = this.#chance;
    if (chance.hits(4)) {
      const config = { step: chance.of(Object.keys(configSteps)), seed: chance.seed() };
      return { transactions: [], config };
    }
    const size = 1 + chance.below(chance.hits(10) ? 48 : chance.hits(40) ? 16 : 5);
    return { transactions: Array.from({ length: size }, () => this.#transaction()) };
  }

  #transaction(): TransactionRecipe {
    const chance = this.#chance;
    if (chance.hits(4)) {
      // The first ones stay under policies that can be met, or soon nothing would be valid.
      const [name, policy] = chance.hits(30)
        ? [chance.of(firstContracts)[0], chance.of(firstContracts)[1]]
        : [chance.of(laterContracts), this.#policy()];
      return this.#definition(name, policy, this.#mutations(15));
    }
    const contract = this.#contract();
    const namespaces = this.#namespaces(contract);
    const plain: TransactionRecipe = {
      nonce: this.#nonce(),
      creator: this.#creator(),
      endorsers: this.#endorsers(),
      contract,
      namespaces,
      mutations: this.#mutations(40),
    };
    return chance.hits(3) ? { ...plain, nonce: chance.below(this.#nonces), again: true } : plain;
  }

  #definition(
    name: string,
    policy: PolicyRecipe,
    mutations: readonly MutationRecipe[],
  ): TransactionRecipe {
    const sequence = (this.#sequences.get(name) ?? 0) + 1;
    this.#sequences.set(name, sequence);
    return {
      nonce: this.#nonce(),
      creator: 'zone.client',
      endorsers: enough,
      contract: '_lifecycle',
      namespaces: [],
      definition: { name, sequence, policy },
      mutations,
    };
  }

  /** Now and then one that was there before. */
  #nonce(): number {
    const chance = this.#chance;
    if (this.#nonces > 0 && chance.hits(3)) {
      return Math.max(this.#nonces - 1 - chance.below(12), 0);
    }
    this.#nonces += 1;
    return this.#nonces - 1;
  }

  #contract(): string {
    const chance = this.#chance;
    if (chance.hits(3)) return chance.of(['nobody', '_lifecycle', 'lscc', 'Notary']);
    if (chance.hits(15)) return chance.of([...this.#sequences.keys()]);
    return chance.of(firstContracts)[0];
  }

  #creator(): string {
    const chance = this.#chance;
    return chance.hits(92) ? chance.of(['zone.client', 'org1.client']) : chance.of(this.#people);
  }

  #endorsers(): string[] {
    const chance = this.#chance;
    if (chance.hits(75)) return chance.shuffled(enough);
    const some = chance.some([...enough, ...enough, ...this.#people], 0, 5);
    return chance.hits(50) ? [...some, ...chance.shuffled(enough)] : some;
  }

  #policy(): PolicyRecipe {
    const chance = this.#chance;
    return chance.of(
      chance.hits(40) ? policyTexts : chance.hits(40) ? policyPaths : Object.keys(madePolicies),
    );
  }

  #keyPolicy(): PolicyRecipe {
    const chance = this.#chance;
    if (chance.hits(80)) return chance.of([twoOfThree, anyPeer]);
    return chance.of(chance.hits(60) ? policyTexts : Object.keys(madePolicies));
  }

  #namespaces(contract: string): NamespaceRecipe[] {
    const chance = this.#chance;
    if (chance.hits(4)) return [];
    const own = this.#namespace(contract === '_lifecycle' ? 'notary' : contract);
    if (!chance.hits(15)) return [own];
    const name = chance.of(['notary', 'open', 'strict', 'referring', 'nobody', '_lifecycle', '']);
    if (name === own.name) return [own];
    const other = this.#namespace(name);
    return chance.of([
      [own, other],
      [other, own],
      [own, { name, reads: other.reads ?? [] }],
    ]);
  }

  #namespace(name: string): NamespaceRecipe {
    const chance = this.#chance;
    const reads = () =>
      chance
        .some(keys, 1, 3)
        .map((key) => ({ key, as: chance.hits(90) ? 'now' : chance.of(readKinds) }) as const);
    const writes = () =>
      chance
        .some(keys, 1, 4)
        .map((key) => ({ key, as: chance.hits(75) ? 'value' : chance.of(writeKinds) }) as const);
    const metadata = () =>
      chance
        .some(keys, 1, 2)
        .map((key) => (chance.hits(25) ? { key } : { key, policy: this.#keyPolicy() }));
    return {
      name,
      ...(chance.hits(45) ? { reads: reads() } : {}),
      ...(chance.hits(30) ? { ranges: [this.#range()] } : {}),
      ...(chance.hits(80) ? { writes: writes() } : {}),
      ...(chance.hits(12) ? { metadata: metadata() } : {}),
    };
  }

  #range() {
    const chance = this.#chance;
    const [start, end] = [chance.of(bounds), chance.of(bounds)].toSorted();
    return {
      start: start!,
      end: end!,
      exhausted: chance.hits(70),
      as: chance.hits(75) ? 'now' : chance.of(rangeKinds),
      ...(chance.hits(40) ? { degree: 2 + chance.below(3) } : {}),
    } as const;
  }

  /** @param percent how many transactions have any. */
  #mutations(percent: number): MutationRecipe[] {
    const chance = this.#chance;
    if (!chance.hits(percent)) return [];
    const kinds = () => (chance.hits(60) ? mutationNames.meant : mutationNames.any);
    const count = chance.hits(85) ? 1 : 2;
    return Array.from({ length: count }, () => ({ kind: chance.of(kinds()), seed: chance.seed() }));
  }
}
