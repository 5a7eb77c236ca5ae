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
  /** Set for a while after it failed a task: then others are asked first. */
  isResting?: boolean;
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

/** What has been tried for this task: who failed it is asked again only if no other can serve. */
export interface Tried {
  failedEndorsers: ReadonlySet<string>;
  /** Nodes whose endorsement was missing or wrong. */
  failedNodes?: ReadonlySet<string>;
  attempt: number;
  /** Counts tasks; ordered: each task begins at the stage after that of the task before. */
  turn?: number;
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
  const rested = fresh.filter((one) => one.isResting !== true);
  const { failedNodes } = tried;
  const sound = alternatives.filter((nodes) => !nodes.some((node) => failedNodes?.has(node)));
  for (const sets of [sound, alternatives]) {
    for (const pool of [rested, fresh, reachable]) {
      const groups = rank(routing, pool, tried);
      for (const nodes of sets) {
        const assignments = spread(nodes, groups);
        if (assignments !== undefined) return { nodes, assignments };
      }
    }
  }
  return undefined;
}

/** The endorsers, in groups among whom a task may be spread, in the order in which they are asked. */
function rank(
  routing: RoutingConfig,
  pool: readonly EndorserState[],
  tried: Tried,
): EndorserState[][] {
  if (routing.mode === 'ordered') return stagesInTurn(routing.order ?? [], pool, tried);
  if (routing.mode === 'partitioned') return pool.map((one) => [one]);
  const best = pool.toSorted((a, b) => load(a) - load(b) || a.name.localeCompare(b.name));
  const chosen = best.slice(0, routing.endorsersPerTask);
  return [chosen, ...best.slice(chosen.length).map((one) => [one])];
}

/** Every task begins at the next stage, and a later attempt at the one after that. */
function stagesInTurn(
  order: readonly (readonly string[])[],
  pool: readonly EndorserState[],
  { attempt, turn = 0 }: Tried,
): EndorserState[][] {
  const first = order.length === 0 ? 0 : (turn + attempt) % order.length;
  return [...order.slice(first), ...order.slice(0, first)].map((stage) =>
    stage.flatMap((name) => pool.filter((one) => one.name === name)),
  );
}

/** Waiting tasks weigh most; a busy core and a slow link count as fractions of a task. */
function load(endorser: EndorserState): number {
  return endorser.tasksWaiting + endorser.cpuPercent / 100 + endorser.roundTripMs / 10;
}

/** Each node goes to the first group that reaches its key, and there to the member whose turn it is. */
function spread(
  nodes: readonly string[],
  groups: readonly (readonly EndorserState[])[],
): Assignment[] | undefined {
  const assignments = new Map<string, string[]>();
  for (const [index, node] of nodes.entries()) {
    const holders = groups
      .map((group) => group.filter((one) => one.nodes.includes(node)))
      .find((group) => group.length > 0);
    const holder = holders?.[index % holders.length];
    if (holder === undefined) return undefined;
    assignments.set(holder.name, [...(assignments.get(holder.name) ?? []), node]);
  }
  return [...assignments].map(([endorser, own]) => ({ endorser, nodes: own }));
}
