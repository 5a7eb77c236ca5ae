import t from 'tap';
import { limits, textOf } from '#base';
import { builtInContract, instantiate, prepareContract } from '#wasm';
import { MemoryHost } from '../support/memory-host.ts';

const prepared = prepareContract(await builtInContract('notary'));
const alice = { id: 'Org1MSP::CN=alice', mspId: 'Org1MSP' };
const bob = { id: 'Org2MSP::CN=bob', mspId: 'Org2MSP' };
const digest = 'ab'.repeat(32);

/** A notary with an empty register; every call is a request of its own, a second after the last. */
class Notary {
  readonly host = new MemoryHost();
  readonly #instance = instantiate(prepared, this.host);
  #requests = 0;

  /** @returns the parsed result, or the failure's reason and message as text. */
  call(client: typeof alice, name: string, ...args: string[]): unknown {
    const outcome = this.invoke(client, name, args);
    return outcome.ok
      ? JSON.parse(textOf(outcome.result))
      : `${outcome.reason}: ${outcome.message}`;
  }

  invoke(client: typeof alice, name: string, args: string[]) {
    this.#requests += 1;
    this.host.client = client;
    const id = this.#requests.toString(16).padStart(64, '0');
    this.host.request = { id, timeMs: BigInt(this.#requests) * 1000n };
    return this.#instance.invoke(name, args, limits.operationGasMax);
  }
}

const deposited = {
  digest,
  name: 'deed.pdf',
  mediaType: 'application/pdf',
  owner: alice.id,
  status: 'active',
  reason: null,
  depositedAtMs: 1000,
  requestId: '1'.padStart(64, '0'),
  steps: 1,
};

t.test('a deposit is on record with its owner, request and time', (t) => {
  const notary = new Notary();
  t.same(notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf'), deposited);
  t.same(notary.call(bob, 'get', digest), deposited);
  t.end();
});

t.test('a digest is deposited once, by whomever', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  for (const client of [alice, bob]) {
    const second = notary.call(client, 'deposit', digest, 'other', 'text/plain');
    t.equal(second, 'failed: This digest is already deposited.');
  }
  t.same(notary.call(bob, 'get', digest), deposited);
  t.end();
});

t.test('only the owner transfers, and the new owner is the owner then', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  t.equal(notary.call(bob, 'transfer', digest, bob.id), 'failed: Only the owner may do this.');
  t.match(notary.call(alice, 'transfer', digest, bob.id), { owner: bob.id, steps: 2 });
  t.equal(notary.call(alice, 'transfer', digest, alice.id), 'failed: Only the owner may do this.');
  t.match(notary.call(bob, 'transfer', digest, alice.id), { owner: alice.id, steps: 3 });
  t.end();
});

t.test('a transfer names another client by its whole identity', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  const itself = notary.call(alice, 'transfer', digest, alice.id);
  t.equal(itself, 'failed: The client already owns this digest.');
  t.match(notary.call(alice, 'transfer', digest, 'bob'), /must be a client identity/);
  t.match(notary.call(alice, 'transfer', digest, ''), /must have 1 to 512 characters/);
  t.end();
});

t.test('only the owner revokes, once, and a revoked deposit moves no more', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  t.equal(notary.call(bob, 'revoke', digest, 'mine'), 'failed: Only the owner may do this.');
  const revoked = { ...deposited, status: 'revoked', reason: 'lost the original', steps: 2 };
  t.same(notary.call(alice, 'revoke', digest, 'lost the original'), revoked);
  t.same(notary.call(bob, 'get', digest), revoked);
  const again = 'failed: The deposit is revoked.';
  t.equal(notary.call(alice, 'revoke', digest, 'again'), again);
  t.equal(notary.call(alice, 'transfer', digest, bob.id), again);
  const second = notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  t.equal(second, 'failed: This digest is already deposited.');
  t.end();
});

t.test('history lists every step with request, time, from and to', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  notary.call(bob, 'transfer', digest, bob.id);
  notary.call(alice, 'transfer', digest, bob.id);
  notary.call(bob, 'revoke', digest, 'sold');
  const step = (number: number, action: string, request: number, more: object) => ({
    step: number,
    action,
    requestId: request.toString(16).padStart(64, '0'),
    timeMs: request * 1000,
    ...more,
  });
  t.same(notary.call(bob, 'history', digest), {
    digest,
    steps: [
      step(0, 'deposited', 1, { from: null, to: alice.id, reason: null }),
      step(1, 'transferred', 3, { from: alice.id, to: bob.id, reason: null }),
      step(2, 'revoked', 4, { from: bob.id, to: null, reason: 'sold' }),
    ],
    next: null,
  });
  t.end();
});

t.test('a long history comes in parts that join without a gap', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  for (let count = 0; count < 150; count += 1) {
    const [from, to] = count % 2 === 0 ? [alice, bob] : [bob, alice];
    notary.call(from, 'transfer', digest, to.id);
  }
  const numbers: number[] = [];
  for (let from: number | null = 0; from !== null;) {
    const part = notary.call(alice, 'history', digest, String(from)) as HistoryPart;
    numbers.push(...part.steps.map(({ step }) => step));
    from = part.next;
  }
  t.same(
    numbers,
    Array.from({ length: 151 }, (_, index) => index),
  );
  t.same(notary.call(alice, 'history', digest, '500'), { digest, steps: [], next: null });
  t.end();
});

t.test('the longest names and identities still make an answer', (t) => {
  const notary = new Notary();
  const long = { id: `Org1MSP::${'漢'.repeat(500)}`, mspId: 'Org1MSP' };
  const other = { id: `Org2MSP::${'字'.repeat(500)}`, mspId: 'Org2MSP' };
  notary.call(long, 'deposit', digest, '\u0001'.repeat(256), '\u0001'.repeat(128));
  for (let count = 0; count < 40; count += 1) {
    const [from, to] = count % 2 === 0 ? [long, other] : [other, long];
    t.match(notary.call(from, 'transfer', digest, to.id), { owner: to.id });
  }
  t.match(notary.call(long, 'revoke', digest, '\u0001'.repeat(1024)), { status: 'revoked' });
  t.match(notary.call(long, 'history', digest), { next: Number });
  t.end();
});

t.test('what is not there is not found, and what is not well-formed is refused', (t) => {
  const notary = new Notary();
  const absent = 'failed: There is no deposit of this digest.';
  t.equal(notary.call(alice, 'get', digest), absent);
  t.equal(notary.call(alice, 'history', digest), absent);
  t.equal(notary.call(alice, 'transfer', digest, bob.id), absent);
  t.equal(notary.call(alice, 'revoke', digest, 'x'), absent);
  for (const bad of ['', 'ab', digest.toUpperCase(), `${digest}0`, 'g'.repeat(64)]) {
    t.match(notary.call(alice, 'deposit', bad, 'n', 'm'), /64 lower-case hex digits/);
  }
  t.match(notary.call(alice, 'deposit', digest, '', 'm'), /name must have 1 to 256/);
  t.match(notary.call(alice, 'deposit', digest, 'n'.repeat(257), 'm'), /name must have 1 to 256/);
  t.match(notary.call(alice, 'deposit', digest, 'n', ''), /media type must have 1 to 128/);
  t.match(notary.call(alice, 'deposit', digest), /takes 3 arguments/);
  t.match(notary.call(alice, 'history', digest, '0', '0'), /takes 1 to 2 arguments/);
  notary.call(alice, 'deposit', digest, 'n', 'm');
  t.match(notary.call(alice, 'history', digest, '-1'), /decimal digits/);
  t.match(notary.call(alice, 'history', digest, '123456789'), /1 to 8 digits/);
  t.match(notary.call(alice, 'revoke', digest, ''), /reason must have 1 to 1024/);
  t.end();
});

t.test('a refused call writes nothing and tells nobody', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  const before = new Map(notary.host.state);
  notary.call(bob, 'deposit', digest, 'x', 'y');
  notary.call(bob, 'transfer', digest, bob.id);
  notary.call(bob, 'revoke', digest, 'x');
  t.same(notary.host.state, before);
  t.equal(notary.host.events.length, 1);
  t.end();
});

t.test('each change is told with the record as it is then', (t) => {
  const notary = new Notary();
  notary.call(alice, 'deposit', digest, 'deed.pdf', 'application/pdf');
  notary.call(alice, 'transfer', digest, bob.id);
  notary.call(bob, 'revoke', digest, 'sold');
  const told = notary.host.events.map(({ name, payload }) => [name, JSON.parse(textOf(payload))]);
  t.match(told, [
    ['deposited', deposited],
    ['transferred', { owner: bob.id, steps: 2 }],
    ['revoked', { status: 'revoked', reason: 'sold', steps: 3 }],
  ]);
  t.end();
});

t.test('the members of a result keep their order and any text survives in it', (t) => {
  const notary = new Notary();
  const name = 'quote " slash \\ line\n bell\u0007 ünï 🦊';
  const outcome = notary.invoke(alice, 'deposit', [digest, name, 'text/plain']);
  const text = outcome.ok ? textOf(outcome.result) : '';
  t.equal((JSON.parse(text) as { name: string }).name, name);
  t.same(Object.keys(JSON.parse(text)), Object.keys(deposited));
  t.end();
});

t.test('digests that begin alike do not see each other', (t) => {
  const notary = new Notary();
  const next = `${digest.slice(0, 63)}c`;
  notary.call(alice, 'deposit', digest, 'a', 'm');
  notary.call(bob, 'deposit', next, 'b', 'm');
  t.equal((notary.call(alice, 'history', digest) as HistoryPart).steps.length, 1);
  t.match(notary.call(alice, 'get', next), { owner: bob.id });
  t.end();
});

t.test('the same calls use the same gas on every instance', (t) => {
  const gas = () => {
    const notary = new Notary();
    return ['deposit', 'get', 'transfer', 'revoke', 'history'].map((name) => {
      const args = {
        deposit: [digest, 'n', 'm'],
        transfer: [digest, alice.id],
        revoke: [digest, 'r'],
      };
      return notary.invoke(alice, name, args[name as keyof typeof args] ?? [digest]).gasUsed;
    });
  };
  t.same(gas(), gas());
  t.end();
});

interface HistoryPart {
  steps: { step: number }[];
  next: number | null;
}
