import type { RoutingConfig } from './config.ts';

/** What the manager knows of one endorser when it chooses. */
export interface EndorserState {
  name: string;
  reachable: boolean;
  /** Names of the nodes whose keys it reaches. */
  nodes: readonly string[];
  tasksWaiting: number;
  cpuPercent: number;
  /** Last round trip, milliseconds: the network condition. */
  roundTripMs: number;
}

/** One endorser's part of a task: the endorsement task assignment. */
export interface Assignment {
  endorser: string;
  nodes: string[];
}

/** Who endorses a task with which keys. */
export interface Choice {
  /** In the order in which their endorsements satisfy the policy. */
  nodes: readonly string[];
  assignments: Assignment[];
}

/** What has been tried for this task: an endorser that failed is asked again only if no other can. */
export interface Tried {
  failedEndorsers: ReadonlySet<string>;
  attempt: number;
}

/**
 * Chooses who endorses with which nodes' keys. Pure: the same facts give the same choice.
 *
 * @param alternatives sets of node names, each of which satisfies the policy, smallest first.
 * @returns the first alternative that can be served now; undefined when none can.
 */
export function chooseAssignments(
  routing: RoutingConfig,
  alternatives: readonly (readonly string[])[],
  endorsers: readonly EndorserState[],
  tried: Tried,
): Choice | undefined {
  const reachable = endorsers.filter((one) => one.reachable);
  const fresh = reachable.filter((one) => !tried.failedEndorsers.has(one.name));
  for (const pool of [fresh, reachable]) {
    for (const nodes of alternatives) {
      const ranked = rank(routing, pool, tried);
      const assignments = spread(routing, nodes, ranked);
      if (assignments !== undefined) return { nodes, assignments };
    }
  }
  return undefined;
}

/** The endorsers in the order in which nodes are given to them. */
function rank(
  routing: RoutingConfig,
  pool: readonly EndorserState[],
  tried: Tried,
): EndorserState[] {
  if (routing.mode === 'ordered') return rankByOrder(routing.order ?? [], pool, tried.attempt);
  if (routing.mode === 'partitioned') return [...pool];
  return pool.toSorted((a, b) => load(a) - load(b) || a.name.localeCompare(b.name));
}

/** Stage after stage; a later attempt begins at the next stage, the last stage stays last. */
function rankByOrder(
  order: readonly (readonly string[])[],
  pool: readonly EndorserState[],
  attempt: number,
): EndorserState[] {
  const first = Math.min(attempt, order.length - 1);
  const names = [...order.slice(first), ...order.slice(0, first)].flat();
  return names.flatMap((name) => pool.filter((one) => one.name === name));
}

/** Waiting tasks weigh most; a busy core and a slow link count as fractions of a task. */
function load(endorser: EndorserState): number {
  return endorser.tasksWaiting + endorser.cpuPercent / 100 + endorser.roundTripMs / 10;
}

function spread(
  routing: RoutingConfig,
  nodes: readonly string[],
  ranked: readonly EndorserState[],
): Assignment[] | undefined {
  const width = routing.mode === 'replicated' ? routing.endorsersPerTask : 1;
  const assignments = new Map<string, string[]>();
  for (const [index, node] of nodes.entries()) {
    const holders = ranked.filter((one) => one.nodes.includes(node));
    const holder = holders[index % Math.min(width, holders.length || 1)];
    if (holder === undefined) return undefined;
    assignments.set(holder.name, [...(assignments.get(holder.name) ?? []), node]);
  }
  return [...assignments].map(([endorser, own]) => ({ endorser, nodes: own }));
}
