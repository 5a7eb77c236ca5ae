import { LruMap, latin1Of, limits } from '#base';
import { planEndorsement } from '#policy';
import type { ChannelConfig, NodeIdentity } from '#policy';

export interface NodePlansParts {
  config: () => ChannelConfig;
  /** Public identities of all nodes of the zone, by node name. */
  nodes: () => ReadonlyMap<string, NodeIdentity>;
}

/** Which nodes may endorse together. Planning takes longer than all else of a choice, so it is kept. */
export class NodePlans {
  readonly #parts: NodePlansParts;
  readonly #plans = new LruMap<string, string[][]>(limits.policiesCachedMax);
  #config: ChannelConfig | undefined;

  constructor(parts: NodePlansParts) {
    this.#parts = parts;
  }

  /**
   * @param policy protos.ApplicationPolicy bytes.
   * @param reachable names of nodes; all when absent.
   * @returns sets of names, each of which satisfies the policy, smallest first.
   */
  ofPolicy(policy: Uint8Array, reachable: ReadonlySet<string> = this.#all()): string[][] {
    const config = this.#parts.config();
    if (this.#config !== config) this.#plans.clear();
    this.#config = config;
    const name = `${[...reachable].join('\0')}\0\0${latin1Of(policy)}`;
    const known = this.#plans.get(name);
    if (known !== undefined) return known;
    const plan = planEndorsement(config, policy, this.#candidates(reachable));
    this.#plans.set(name, plan);
    return plan;
  }

  /**
   * @param mspids the organisations of which each shall endorse once.
   * @returns sets of names; empty when an organisation has no node in reach.
   */
  ofOrganizations(mspids: readonly string[], reachable: ReadonlySet<string>): string[][] {
    const candidates = this.#candidates(reachable);
    const groups = [...new Set(mspids)].map((mspid) =>
      candidates.filter(({ identity }) => identity.mspid === mspid).map(({ name }) => name),
    );
    if (groups.length === 0 || groups.some((group) => group.length === 0)) return [];
    // Every node comes up in some set; more combinations only help when several fail at once.
    const sets = Math.min(Math.max(...groups.map((group) => group.length)), limits.planSetsMax);
    return Array.from({ length: sets }, (_none, turn) =>
      groups.map((group) => group[turn % group.length] as string),
    );
  }

  /** Names of the organisations' nodes. */
  nodesOf(mspids: readonly string[]): Set<string> {
    const nodes = [...this.#parts.nodes().values()];
    const own = nodes.filter(({ identity }) => mspids.includes(identity.mspid));
    return new Set(own.map(({ name }) => name));
  }

  /** The organisation of a node. */
  mspOf(node: string): string | undefined {
    return this.#parts.nodes().get(node)?.identity.mspid;
  }

  #all(): Set<string> {
    return new Set(this.#parts.nodes().keys());
  }

  #candidates(reachable: ReadonlySet<string>): NodeIdentity[] {
    return [...this.#parts.nodes().values()].filter(({ name }) => reachable.has(name));
  }
}
