import { limits } from '#base';
import type { ChannelConfig } from './channel-config.ts';
import type { Identity } from './identity.ts';
import { Member } from './member.ts';
import type { CompiledPolicy, CompiledRule, PolicyShape } from './signature-policy.ts';

/** A node whose key can endorse. */
export interface NodeIdentity {
  readonly name: string;
  readonly identity: Identity;
}

/**
 * Finds the sets of nodes whose endorsements together satisfy a policy and of which none can be
 * spared.
 *
 * @param applicationPolicy protos.ApplicationPolicy bytes.
 * @returns smallest sets first, `limits.planSetsMax` at most; each in an order in which its
 *   endorsements satisfy the policy, as Fabric gives every signer away to the first principal it
 *   fits. Empty when the nodes cannot satisfy the policy.
 */
export function planEndorsement(
  config: ChannelConfig,
  applicationPolicy: Uint8Array,
  nodes: readonly NodeIdentity[],
): string[][] {
  const policy = config.applicationPolicy(applicationPolicy);
  const names = new Map(nodes.map((node) => [asMember(node.identity), node.name]));
  const plan = new PlanSearch([...names.keys()]);
  const sets = new Map<string, readonly Member[]>();
  for (const candidate of plan.ofShape(policy.shape)) {
    if (!policy.evaluate(candidate)) continue;
    const spared = withoutTheSpare(policy, candidate);
    sets.set(setKey(spared), spared);
    if (sets.size >= limits.planSetsMax) break;
  }
  return [...sets.values()]
    .toSorted((a, b) => a.length - b.length)
    .map((set) => set.map((member) => names.get(member) as string));
}

type Candidate = readonly Member[];

/**
 * Walks the choices a policy leaves, in order. The steps are bounded: a policy of many
 * interchangeable nodes has more solutions than anyone needs.
 */
class PlanSearch {
  readonly #members: readonly Member[];
  readonly #feasible = new Map<CompiledRule, boolean>();
  #stepsLeft = limits.planCandidatesMax;

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  *ofShape(shape: PolicyShape): Generator<Candidate> {
    switch (shape.kind) {
      case 'signature':
        yield* this.#ofRule(shape.rule, []);
        return;
      case 'implicitMeta':
        yield* this.#choose(shape.parts, shape.threshold, [], (part, chosen) =>
          this.#ofPart(part, chosen),
        );
        return;
      case 'reject':
    }
  }

  /** Inside one signature policy no signer counts twice, so every choice adds somebody new. */
  *#ofRule(rule: CompiledRule, chosen: Candidate): Generator<Candidate> {
    if (!('principal' in rule)) {
      const feasible = rule.rules.filter((inner) => this.#isFeasible(inner));
      yield* this.#choose(feasible, rule.needed, chosen, (inner, so) => this.#ofRule(inner, so));
      return;
    }
    for (const member of this.#members) {
      if (this.#exhausted()) return;
      if (chosen.includes(member) || !member.satisfies(rule.principal)) continue;
      yield [...chosen, member];
    }
  }

  /** The parts of an implicit policy are judged one by one: a signer may serve several. */
  *#ofPart(part: PolicyShape, chosen: Candidate): Generator<Candidate> {
    for (const taken of this.ofShape(part)) {
      yield [...chosen, ...taken.filter((member) => !chosen.includes(member))];
    }
  }

  /** Every way to have so many of the items; `take` gives the ways to have one beside what is chosen. */
  *#choose<Item>(
    items: readonly Item[],
    needed: number,
    chosen: Candidate,
    take: (item: Item, chosen: Candidate) => Generator<Candidate>,
  ): Generator<Candidate> {
    if (needed <= 0) {
      yield chosen;
      return;
    }
    const [first, ...rest] = items;
    if (first === undefined || items.length < needed || this.#exhausted()) return;
    for (const taken of take(first, chosen)) {
      yield* this.#choose(rest, needed - 1, taken, take);
    }
    yield* this.#choose(rest, needed, chosen, take);
  }

  /** False where not even one signer per principal is there: no step is spent on such a branch. */
  #isFeasible(rule: CompiledRule): boolean {
    let answer = this.#feasible.get(rule);
    if (answer === undefined) {
      answer =
        'principal' in rule
          ? this.#members.some((member) => member.satisfies(rule.principal))
          : rule.rules.filter((inner) => this.#isFeasible(inner)).length >= rule.needed;
      this.#feasible.set(rule, answer);
    }
    return answer;
  }

  #exhausted(): boolean {
    this.#stepsLeft -= 1;
    return this.#stepsLeft < 0;
  }
}

/** Leaves out, from the last to the first, everyone without whom the policy is satisfied too. */
function withoutTheSpare(policy: CompiledPolicy, candidate: Candidate): Candidate {
  let kept = candidate;
  for (const member of candidate.toReversed()) {
    const fewer = kept.filter((one) => one !== member);
    if (policy.evaluate(fewer)) kept = fewer;
  }
  return kept;
}

function setKey(set: Candidate): string {
  return set
    .map((member) => member.key)
    .toSorted()
    .join();
}

function asMember(identity: Identity): Member {
  if (!(identity instanceof Member)) throw new TypeError('not an identity of a channel');
  return identity;
}
