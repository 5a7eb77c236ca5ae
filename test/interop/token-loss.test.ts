import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { findSoftHsmModule } from '#softhsm-config';
import { eventually } from '../support/eventually.ts';
import { faultShim } from '../support/fault-shim.ts';
import type { ShimControl } from '../support/fault-shim.ts';
import { addSecondToken } from '../support/second-token.ts';
import { underLoad } from '../support/steady-load.ts';
import type { LoadReport } from '../support/steady-load.ts';
import { TestNetwork } from '../support/test-network.ts';

/** How long requests are posted before a token is lost, and after it. */
const [beforeMs, afterMs] = [1_000, 4_000];

/** The tokens of two organisations, each behind a shim of its own. */
const shims = new Map(['org1', 'org2'].map((name) => [name, faultShim(t, findSoftHsmModule())]));
const network = await TestNetwork.start({ peerCount: 1 }, async (made) => {
  await addSecondToken(made, 'org1');
  for (const [name, { module, moduleEnvironment }] of shims) {
    made.configure(`signer-${name}`, (config) => {
      config['module'] = module;
      config['moduleEnvironment'] = moduleEnvironment;
    });
  }
});
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary');
const alice = await network.client('alice');
const managerPid = network.processes.pid('manager');
let deposits = 0;

function controlOf(name: string): ShimControl {
  const shim = shims.get(name);
  if (shim === undefined) throw new TypeError(name);
  return shim.control;
}

function deposit(): [string, ...string[]] {
  deposits += 1;
  // The load's own begin with zeros.
  return ['deposit', deposits.toString(16).padStart(64, 'f'), 'x.txt', 'text/plain'];
}

/** As many requests as the zone takes, in calls of 50, before and for a while after something befell a token. */
async function load(befall: () => void): Promise<LoadReport> {
  const report = await underLoad(network, alice, { callers: 4, requestsPerCall: 50 }, async () => {
    await wait(beforeMs);
    befall();
    await wait(afterMs);
  });
  t.comment(`${report.requests} requests in ${report.seconds.toFixed(1)} s`);
  return report;
}

/** What monitoring is told, as name and labels → value. */
async function metrics(): Promise<Map<string, number>> {
  const { body } = await network.service.get('/metrics');
  const lines = String(body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

const allServed = { failed: 0, firstFailure: undefined };

t.test('002-19 the loss of one of two tokens under load fails no request', async (t) => {
  t.match(await load(() => controlOf('org1').set('removed', 1)), allServed);
  const seen = await metrics();
  t.not(seen.get('countersign_token_breaker{token="org1"}'), 0);
  t.equal(seen.get('countersign_token_breaker{token="org1b"}'), 0);
  controlOf('org1').heal();
  await eventually(async () => {
    const names = (await metrics()).keys();
    if (names.some((name) => name.startsWith('countersign_token_fault'))) {
      throw new Error('it is not back');
    }
  });
});

t.test('one of two tokens that hangs under load fails no request', async (t) => {
  t.match(await load(() => controlOf('org1').hang('C_Sign')), allServed);
  controlOf('org1').heal();
});

t.test('without its only token an organisation’s callers are told to come again', async (t) => {
  controlOf('org2').set('removed', 1);
  const jws = alice.sign('notary', deposit());
  const refused = await network.service.post(jws);
  t.match(refused, { status: 503, body: { code: 'MANAGER_ENDORSERS_UNREACHABLE' } });
  const seen = await metrics();
  const fault = seen.keys().find((name) => name.startsWith('countersign_token_fault{token="org2"'));
  t.match(fault, /code="HSM_TOKEN_/);
  controlOf('org2').heal();
  await eventually(async () => {
    const { status } = await network.service.post(jws);
    if (status !== 200) throw new Error(`answered ${status}`);
  });
});

t.test('through all of it nothing was restarted, and no session was spoilt', async (t) => {
  t.equal(network.processes.pid('manager'), managerPid);
  const seen = await metrics();
  const poisoned = [...seen].filter(([name]) => name.includes('sessions_poisoned'));
  t.equal(poisoned.length, 5, 'every token is reported');
  t.same(new Set(poisoned.map(([, value]) => value)), new Set([0]));
  const signatures = [...seen].filter(([name]) => name.includes('signature_seconds_count'));
  t.ok(signatures.length >= 7 && signatures.some(([, value]) => value > 0));
  const days = [...seen].filter(([name]) => name.includes('certificate_days_left'));
  t.ok(days.length >= 7 && days.every(([, value]) => value > 0.9), 'certificates’ ends are told');
});
