import t from 'tap';
import { chooseAssignments } from '../../manager/routing.ts';
import type { EndorserState } from '../../manager/routing.ts';

const untried = { failedEndorsers: new Set<string>(), attempt: 0 };

function endorser(name: string, nodes: string[], load: Partial<EndorserState> = {}): EndorserState {
  return { name, nodes, reachable: true, tasksWaiting: 0, cpuPercent: 0, roundTripMs: 0, ...load };
}

t.test(
  '002-4 with partitioned keys each endorser gets the nodes whose keys it holds',
  async (t) => {
    const pool = [endorser('e1', ['a', 'b']), endorser('e2', ['c'])];
    const choice = chooseAssignments(
      { mode: 'partitioned', endorsersPerTask: 1 },
      [['a', 'c']],
      pool,
      untried,
    );
    t.same(choice?.assignments, [
      { endorser: 'e1', nodes: ['a'] },
      { endorser: 'e2', nodes: ['c'] },
    ]);
  },
);

t.test('002-4 a set that no endorser can complete is passed over for the next', async (t) => {
  const pool = [endorser('e1', ['a', 'b'])];
  const routing = { mode: 'partitioned', endorsersPerTask: 1 } as const;
  const choice = chooseAssignments(
    routing,
    [
      ['a', 'c'],
      ['a', 'b'],
    ],
    pool,
    untried,
  );
  t.same(choice?.nodes, ['a', 'b']);
  t.equal(chooseAssignments(routing, [['c']], pool, untried), undefined);
});

t.test('002-5 with replicated keys the least loaded endorser is taken', async (t) => {
  const all = ['a', 'b', 'c'];
  const routing = { mode: 'replicated', endorsersPerTask: 1 } as const;
  for (const [busy, name] of [
    [{ tasksWaiting: 2 }, 'e2'],
    [{ cpuPercent: 90 }, 'e2'],
    [{ roundTripMs: 40 }, 'e2'],
  ] as const) {
    const pool = [endorser('e1', all, busy), endorser('e2', all, { roundTripMs: 1 })];
    const choice = chooseAssignments(routing, [all], pool, untried);
    t.same(choice?.assignments, [{ endorser: name, nodes: all }]);
  }
});

t.test('002-5 a task spread over two endorsers assigns each its own target nodes', async (t) => {
  const all = ['a', 'b', 'c'];
  const pool = [endorser('e1', all), endorser('e2', all), endorser('e3', all, { tasksWaiting: 9 })];
  const choice = chooseAssignments(
    { mode: 'replicated', endorsersPerTask: 2 },
    [all],
    pool,
    untried,
  );
  t.same(choice?.assignments, [
    { endorser: 'e1', nodes: ['a', 'c'] },
    { endorser: 'e2', nodes: ['b'] },
  ]);
});

t.test(
  '002-6 the preset order decides, and a later attempt begins at the next stage',
  async (t) => {
    const all = ['a'];
    const pool = ['e5', 'e4', 'e3', 'e2', 'e1'].map((name) => endorser(name, all));
    const routing = {
      mode: 'ordered',
      endorsersPerTask: 1,
      order: [['e1'], ['e2', 'e3'], ['e4', 'e5']],
    } as const;
    const taken = [0, 1, 2].map((attempt) => {
      const tried = { failedEndorsers: new Set<string>(), attempt };
      const order = routing.order.map((stage) => [...stage]);
      return chooseAssignments({ ...routing, order }, [all], pool, tried)?.assignments[0]?.endorser;
    });
    t.same(taken, ['e1', 'e2', 'e4']);
  },
);

t.test('002-12 an endorser that failed is asked again only when no other can serve', async (t) => {
  const routing = { mode: 'replicated', endorsersPerTask: 1 } as const;
  const tried = { failedEndorsers: new Set(['e1']), attempt: 1 };
  const both = [endorser('e1', ['a']), endorser('e2', ['a'], { tasksWaiting: 50 })];
  t.equal(chooseAssignments(routing, [['a']], both, tried)?.assignments[0]?.endorser, 'e2');
  const alone = [endorser('e1', ['a'])];
  t.equal(chooseAssignments(routing, [['a']], alone, tried)?.assignments[0]?.endorser, 'e1');
});

t.test('an endorser out of reach is never chosen', async (t) => {
  const pool = [endorser('e1', ['a'], { reachable: false })];
  const routing = { mode: 'replicated', endorsersPerTask: 1 } as const;
  t.equal(chooseAssignments(routing, [['a']], pool, untried), undefined);
});

t.test(
  '002-6 each task begins one stage after the task before, spread over its stage',
  async (t) => {
    const all = ['a', 'b'];
    const pool = ['e1', 'e2', 'e3'].map((name) => endorser(name, all));
    const routing = {
      mode: 'ordered',
      endorsersPerTask: 1,
      order: [['e1'], ['e2', 'e3']],
    } as const;
    const order = routing.order.map((stage) => [...stage]);
    const taken = [0, 1, 2].map((turn) =>
      chooseAssignments({ ...routing, order }, [all], pool, { ...untried, turn })?.assignments.map(
        (one) => one.endorser,
      ),
    );
    t.same(taken, [['e1'], ['e2', 'e3'], ['e1']]);
  },
);

t.test('002-12 one that rests after a failure is asked when no other can serve', async (t) => {
  const routing = { mode: 'replicated', endorsersPerTask: 2 } as const;
  const resting = endorser('e1', ['a', 'b'], { isResting: true });
  const choice = (pool: EndorserState[]) =>
    chooseAssignments(routing, [['a', 'b']], pool, untried)?.assignments;
  t.same(choice([resting, endorser('e2', ['a', 'b'], { tasksWaiting: 9 })]), [
    { endorser: 'e2', nodes: ['a', 'b'] },
  ]);
  t.same(choice([resting]), [{ endorser: 'e1', nodes: ['a', 'b'] }]);
});

t.test(
  '002-12 a node whose endorsement failed is done without where the policy allows',
  async (t) => {
    const routing = { mode: 'replicated', endorsersPerTask: 1 } as const;
    const tried = { failedEndorsers: new Set(['e1']), failedNodes: new Set(['a']), attempt: 1 };
    const pool = [endorser('e1', ['a', 'b', 'c'])];
    const nodes = (alternatives: string[][]) =>
      chooseAssignments(routing, alternatives, pool, tried)?.nodes;
    t.same(
      nodes([
        ['a', 'b'],
        ['b', 'c'],
      ]),
      ['b', 'c'],
    );
    t.same(nodes([['a', 'b']]), ['a', 'b'], 'and else asked for again');
  },
);
