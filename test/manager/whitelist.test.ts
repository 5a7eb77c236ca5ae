import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Fault, limits, silentLog } from '#base';
import type { Log } from '#base';
import { makeCa } from '../crypto/certificates.ts';
import { readRegistry, updateRegistry } from '../../manager/registry-file.ts';
import type { ClientRegistry } from '../../manager/registry-file.ts';
import { Whitelist } from '../../manager/whitelist.ts';
import { ManualClock, makeMember } from './channel.ts';

const ca = await makeCa('Org1 CA');
const clerk = await makeMember(ca, 'Org1MSP');
const other = await makeMember(ca, 'Org1MSP');

const grants = [{ channel: 'deeds', contract: 'notary', functions: ['deposit'] }];
const entry = (kid: string, certificate = clerk.pem) =>
  ({ kid, certificate, status: 'active', grants }) as const;

function setUp(t: Test, log: Log = silentLog) {
  const file = join(t.testdir(), 'clients.json');
  updateRegistry(file, (registry) => ({ ...registry, clients: [entry('clerk-1')] }));
  const clock = new ManualClock();
  return { file, clock, whitelist: new Whitelist({ file, clock, log }) };
}

/** A log whose lines are kept as their level and their sentence. */
function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (_facts: unknown, sentence: string) => {
    lines.push(`${level} ${sentence}`);
  };
  return { log: { info: keep('info'), error: keep('error') } as unknown as Log, lines };
}

function replaceWith(file: string, text: string): void {
  rmSync(file);
  writeFileSync(file, text);
}

t.test('a registered client is found by its key id and by its certificate', async (t) => {
  const { whitelist } = setUp(t);
  t.match(whitelist.clientOfKey('clerk-1'), { kid: 'clerk-1', status: 'active' });
  t.equal(whitelist.clientOfCertificate(clerk.certificate.der)?.kid, 'clerk-1');
  t.equal(whitelist.clientOfKey('clerk-2'), undefined);
  t.equal(whitelist.clientOfCertificate(other.certificate.der), undefined);
  t.equal(whitelist.organisation('Org1MSP'), undefined);
});

t.test(
  'a change of the registry counts within its bound and not before it is looked for',
  async (t) => {
    const { file, clock, whitelist } = setUp(t);
    updateRegistry(file, (registry) => {
      registry.clients[0]!.status = 'revoked';
      registry.organisations.push({ msp: 'Org2MSP', status: 'active', grants });
      return registry;
    });
    clock.advance(limits.registryStaleMsMax - 1);
    t.equal(whitelist.clientOfKey('clerk-1')?.status, 'active');
    clock.advance(1);
    t.equal(whitelist.clientOfKey('clerk-1')?.status, 'revoked');
    t.equal(whitelist.organisation('Org2MSP')?.status, 'active');
  },
);

t.test('a clock that was set back does not keep a revoked client in', async (t) => {
  const { file, clock, whitelist } = setUp(t);
  updateRegistry(file, ({ organisations }) => ({ clients: [], organisations }));
  clock.advance(-3_600_000);
  t.equal(whitelist.clientOfKey('clerk-1'), undefined);
});

const broken: Readonly<Record<string, string>> = {
  'that is no JSON': '{',
  'with a member nobody knows': '{"clients":[],"organisations":[],"admins":[]}',
  'with a client without grants': JSON.stringify({
    clients: [{ kid: 'x', certificate: clerk.pem, status: 'active' }],
    organisations: [],
  }),
  'with a status nobody knows': JSON.stringify({
    clients: [{ ...entry('x'), status: 'paused' }],
    organisations: [],
  }),
  'with a certificate that is none': JSON.stringify({
    clients: [entry('x', 'PEM')],
    organisations: [],
  }),
  'with one key id twice': JSON.stringify({
    clients: [entry('x'), entry('x', other.pem)],
    organisations: [],
  }),
  'with one certificate twice': JSON.stringify({
    clients: [entry('x'), entry('y')],
    organisations: [],
  }),
};

for (const [what, text] of Object.entries(broken)) {
  t.test(`a new registry ${what} changes nothing but the log`, async (t) => {
    const { log, lines } = keptLog();
    const { file, clock, whitelist } = setUp(t, log);
    replaceWith(file, text);
    clock.advance(limits.registryStaleMsMax);
    t.equal(whitelist.clientOfKey('clerk-1')?.status, 'active');
    clock.advance(limits.registryStaleMsMax);
    t.equal(whitelist.clientOfKey('clerk-1')?.status, 'active');
    t.equal(lines.length, 1, 'the alarm is given once');
    t.match(lines[0], /^error /);
    replaceWith(file, '{"clients":[],"organisations":[]}');
    clock.advance(limits.registryStaleMsMax);
    t.equal(whitelist.clientOfKey('clerk-1'), undefined, 'and a good one counts again');
  });
}

t.test('a registry that is taken away changes nothing but the log', async (t) => {
  const { log, lines } = keptLog();
  const { file, clock, whitelist } = setUp(t, log);
  rmSync(file);
  clock.advance(limits.registryStaleMsMax);
  t.equal(whitelist.clientOfKey('clerk-1')?.status, 'active');
  t.match(lines[0], /^error /);
});

t.test('without a readable registry there is no whitelist', async (t) => {
  const file = join(t.testdir(), 'clients.json');
  const open = () => new Whitelist({ file, clock: new ManualClock(), log: silentLog });
  t.throws(open, { code: 'MANAGER_REGISTRY_UNREADABLE' });
  writeFileSync(file, '[]');
  t.throws(open, { code: 'MANAGER_REGISTRY_INVALID' });
});

t.test(
  'a change that makes the registry ambiguous is refused, and the old one stands',
  async (t) => {
    const { file } = setUp(t);
    const before = readFileSync(file, 'utf8');
    const twice = ({ organisations }: ClientRegistry) => ({
      clients: [entry('a'), entry('b')],
      organisations,
    });
    t.throws(() => updateRegistry(file, twice), { code: 'MANAGER_REGISTRY_INVALID' });
    t.throws(() =>
      updateRegistry(file, () => {
        throw new Fault('TEST_CHANGE_REFUSED', 'conflict', 'No.', {});
      }),
    );
    t.equal(readFileSync(file, 'utf8'), before);
    t.equal(updateRegistry(file, (registry) => registry).clients.length, 1, 'no lock is left');
  },
);

t.test('two changes at one time are refused, not mixed', async (t) => {
  const { file } = setUp(t);
  updateRegistry(file, (registry) => {
    const inner = () => updateRegistry(file, (one) => one);
    t.throws(inner, { code: 'MANAGER_REGISTRY_LOCKED', kind: 'busy' });
    return { ...registry, clients: [] };
  });
  t.strictSame(readRegistry(file), { clients: [], organisations: [] });
});
