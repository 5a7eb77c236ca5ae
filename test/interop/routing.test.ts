import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contractCode, identityNames, keyLabels, newClient } from '#cli';
import { EndorserProxy } from '../support/endorser-proxy.ts';
import type { Lie } from '../support/endorser-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { TestClient, TestNetwork } from '../support/test-network.ts';
import { peersAgree } from '../e2e/agreement.ts';
import { answerOf, faultCode } from '../e2e/answers.ts';
import type { Answer } from '../e2e/answers.ts';

// The first is called as the others of the tests' networks are: its admin deploys.
const organisations = ['org1', 'b', 'c', 'f', 'g'].map((name) => {
  const mspid = name === 'org1' ? 'A' : name.toUpperCase();
  return { name, mspid };
});
const [a, b, c, f] = organisations.map(({ name }) => keyLabels.node(name)) as [
  string,
  string,
  string,
  string,
];
const replicated = {
  routing: { mode: 'replicated', endorsersPerTask: 2 },
  bundle: { requestsMax: 500 },
};
const policies = {
  named: "AND('A.peer', 'B.peer', 'C.peer', 'F.peer')",
  majority: 'reference:/Channel/Application/Endorsement',
  three: "OutOf(3, 'A.peer', 'B.peer', 'C.peer', 'F.peer', 'G.peer')",
} as const;

// An endorser that hangs is waited for as long as a contract may run.
const network = await TestNetwork.start({
  organisations,
  routing: 'partitioned',
  endorserCount: 3,
  peerCount: 1,
});
const { layout } = network.network;
const names = ['endorser-1', 'endorser-2', 'endorser-3'] as const;
const proxies = await Promise.all(
  names.map((name) => EndorserProxy.start(proxySocket(name), layout.socket(name))),
);
const third = proxies[2] as EndorserProxy;
t.teardown(async () => {
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  await network[Symbol.asyncDispose]();
});
await restartManager({});
const alice = await network.client('alice');
const code = await contractCode('notary');
for (const [name, policy] of Object.entries(policies)) {
  answerOf(await network.deploy(name, { code, policy }));
}

let deposits = 0;

function deposit(): [string, ...string[]] {
  deposits += 1;
  return ['deposit', deposits.toString(16).padStart(64, '0'), 'x.txt', 'text/plain'];
}

/** Who endorsed a committed request's transaction, by MSP id. */
async function endorsersOf(answer: Answer): Promise<string[]> {
  const { body } = await network.service.get(`/v1/transactions/${answer.transaction}`);
  return (body as { endorsers: string[] }).endorsers.toSorted();
}

/** What each endorser was asked for since the last call. */
function asked(): string[][][] {
  return proxies.map((proxy) => proxy.takeAsked());
}

t.test('002-4 002-9 with partitioned keys each endorser gets the nodes it holds', async (t) => {
  asked();
  const answer = answerOf(await alice.post('named', deposit()));
  t.same(await endorsersOf(answer), ['A', 'B', 'C', 'F']);
  t.same(asked(), [[[a, f]], [[b]], [[c]]]);
});

t.test('002-2 002-3 who is not on the list, or may not, reaches no endorser', async (t) => {
  await newClient(network.dir, {
    kid: 'reader',
    orgName: 'org1',
    algorithm: 'ES256',
    nodeOu: 'client',
    grants: [{ channel: network.channel, contract: 'majority', functions: ['get'] }],
  });
  const reader = new TestClient(network, 'reader');
  const stranger = new TestClient(network, identityNames.transport('org1'));
  asked();
  t.equal(faultCode((await reader.post('named', deposit())).body), 'MANAGER_GRANT_MISSING');
  t.equal(faultCode((await stranger.post('named', deposit())).body), 'MANAGER_CLIENT_UNKNOWN');
  t.same(asked(), [[], [], []]);
});

t.test('002-18 named nodes, a majority of the channel, or some number of a group', async (t) => {
  const endorsers = async (contract: string) =>
    endorsersOf(answerOf(await alice.post(contract, deposit())));
  t.same(await endorsers('named'), ['A', 'B', 'C', 'F']);
  t.equal((await endorsers('majority')).length, 3);
  const three = await endorsers('three');
  t.equal(three.length, 3);
  await network.processes.kill('signer-f');
  const before = await height();
  const refused = await alice.post('named', deposit());
  t.match(refused, { status: 503, body: { code: 'MANAGER_ENDORSERS_UNREACHABLE' } });
  t.equal(await height(), before, 'nothing of it is on the ledger');
  for (const contract of ['majority', 'three']) {
    t.notOk((await endorsers(contract)).includes('F'), `${contract} does without F`);
  }
  await network.processes.start('signer-f');
  const again = await eventually(() => endorsers('named'));
  t.same(again, ['A', 'B', 'C', 'F']);
  await peersAgree(t, network);
});

t.test('002-6 in a preset order endorsers take turns, one request a transaction', async (t) => {
  for (const name of names) {
    network.configure(name, (config) => {
      config['signers'] = organisations.map((org) => ({
        socket: layout.socket(`signer-${org.name}`),
      }));
    });
  }
  await network.restart(...names);
  await restartManager({
    routing: { mode: 'ordered', order: [['endorser-1'], ['endorser-2', 'endorser-3']] },
    bundle: { requestsMax: 1 },
  });
  asked();
  const answers = (await network.service.postMany(
    Array.from({ length: 4 }, () => alice.sign('named', deposit())),
  )) as Answer[];
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  t.equal(new Set(answers.map(({ transaction }) => transaction)).size, 4);
  const [one, two, three] = asked();
  t.same(one, [
    [a, b, c, f],
    [a, b, c, f],
  ]);
  t.same(
    [two, three],
    [
      [
        [a, c],
        [a, c],
      ],
      [
        [b, f],
        [b, f],
      ],
    ],
  );
});

t.test('002-5 with replicated keys the idlest endorsers share the target nodes', async (t) => {
  third.claimedTasks = 50;
  await restartManager(replicated);
  asked();
  const answer = answerOf(await alice.post('named', deposit()));
  t.same(await endorsersOf(answer), ['A', 'B', 'C', 'F']);
  const [one, two, three] = asked();
  t.same(
    [...one!, ...two!].map((nodes) => nodes.length),
    [2, 2],
  );
  t.same([...one!.flat(), ...two!.flat()].toSorted(), [a, b, c, f].toSorted());
  t.same(three, [], 'the busy one was left in peace');
  third.claimedTasks = 0;
});

t.test('002-9 an endorser with all keys needs no list of nodes', async (t) => {
  await restartManager({ ...replicated, routing: { mode: 'replicated', endorsersPerTask: 1 } });
  for (const proxy of proxies) proxy.lie = 'untold';
  t.same(await endorsersOf(answerOf(await alice.post('named', deposit()))), ['A', 'B', 'C', 'F']);
  for (const proxy of proxies) proxy.lie = 'none';
});

t.test('002-12 whatever one endorser does wrong, another makes it good', async (t) => {
  const lies: readonly [Lie, ...codes: string[]][][] = [
    [
      ['wrong signature', 'MANAGER_ENDORSEMENT_BAD'],
      ['one left out', 'MANAGER_ENDORSEMENT_MISSING'],
      ['another payload', 'MANAGER_ENDORSEMENT_BAD'],
    ],
    [
      // The old one may be of other nodes too.
      ['an old answer', 'MANAGER_ENDORSEMENT_FOREIGN', 'MANAGER_ENDORSEMENT_MISSING'],
      ['closes', 'BASE_LINK_BROKEN'],
      ['hangs', 'BASE_LINK_TIMEOUT'],
    ],
  ];
  for (const group of lies) {
    // Who lied is asked last for a while: each lie is another endorser's, and then all begin anew.
    await restartManager(replicated);
    for (const [index, [lie, ...codes]] of group.entries()) {
      for (const [other, proxy] of proxies.entries()) {
        proxy.claimedTasks = other === index ? 0 : 9;
      }
      const liar = proxies[index] as EndorserProxy;
      await Promise.all(proxies.map((proxy) => proxy.statusTold()));
      // The manager may have chosen before it heard what the endorsers claim now.
      await eventually(async () => {
        t.equal((await alice.post('named', deposit())).status, 200);
        if (liar.takeAsked().length === 0) throw new Error('the idlest is not asked yet');
      });
      asked();
      liar.lie = lie;
      const answer = answerOf(await alice.post('named', deposit()));
      t.equal(answer.status, 200, lie);
      t.same(await endorsersOf(answer), ['A', 'B', 'C', 'F'], `${lie}: endorsed by others`);
      t.not(liar.takeAsked().length, 0, `${lie}: the liar was asked`);
      const says = codes.some((code) => logged({ endorser: names[index], code }));
      t.ok(says, `${lie}: the log says ${codes.join(' or ')}`);
      liar.lie = 'none';
    }
  }
  await peersAgree(t, network);
});

t.test('002-12 when no endorser can be believed the client is told to come again', async (t) => {
  const before = await height();
  for (const proxy of proxies) proxy.lie = 'wrong signature';
  const jws = alice.sign('named', deposit());
  const refused = await network.service.post(jws);
  t.match(refused, { status: 503, body: { code: 'MANAGER_ENDORSERS_UNREACHABLE' } });
  t.equal(await height(), before, 'nothing is on the ledger');
  for (const proxy of proxies) proxy.lie = 'none';
  t.equal((await network.service.post(jws)).status, 200, 'the same request, later');
});

async function restartManager(changes: Record<string, unknown>): Promise<void> {
  network.configure('manager', (config) => {
    config['endorsers'] = names.map((name) => ({ name, socket: proxySocket(name) }));
    Object.assign(config, changes);
  });
  await network.restart('manager');
}

function proxySocket(name: string): string {
  return join(layout.runDir, `proxy-${name}.sock`);
}

async function height(): Promise<number> {
  return ((await network.service.get('/v1/health')).body as { height: number }).height;
}

function logged(facts: Record<string, unknown>): boolean {
  const lines = readFileSync(layout.log('manager'), 'utf8').split('\n').filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .some((line) => Object.entries(facts).every(([name, value]) => line[name] === value));
}
