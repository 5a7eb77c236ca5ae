import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Fault, limits, silentLog, utf8 } from '#base';
import type { Log } from '#base';
import { lifecycleKeys, lifecycleNamespace } from '#formats';
import type { Grant } from '#policy';
import { Admission } from '../../manager/admission.ts';
import { updateRegistry } from '../../manager/registry-file.ts';
import type { ClientRegistry } from '../../manager/registry-file.ts';
import { Whitelist } from '../../manager/whitelist.ts';
import { makeCa } from '../crypto/certificates.ts';
import { fuzz } from '../crypto/fuzzing.ts';
import { ecKey, ed25519Key, rsaKey } from '../crypto/keys.ts';
import type { TestKey } from '../crypto/keys.ts';
import { channelId, makeChannel, makeMember, startMs } from './channel.ts';
import { requestWith, signedRequest } from './signed-request.ts';

const channel = await makeChannel();
const org1 = channel.authorities.Org1MSP;
const clerk = await makeMember(org1, 'Org1MSP');
const notary: Grant = { channel: channelId, contract: 'notary', functions: ['deposit'] };

const byKid = { alg: 'ES256', kid: 'clerk-1' } as const;
const byCertificate = { alg: 'ES256', x5c: [clerk.certificate.der] } as const;

interface Setting {
  registry: Partial<ClientRegistry>;
  executed: string[];
  pending: string[];
  highSAllowed: boolean;
  log: Log;
}

const registered: Partial<ClientRegistry> = {
  clients: [
    {
      kid: 'clerk-1',
      certificate: clerk.pem,
      status: 'active',
      grants: [{ ...notary, functions: ['deposit'] }],
    },
  ],
};

function admissionOf(t: Test, changes: Partial<Setting> = {}): Admission {
  const { registry = registered, executed = [], pending = [], ...rest } = changes;
  const file = join(t.testdir(), 'clients.json');
  updateRegistry(file, (empty) => ({ ...empty, ...registry }));
  const clock = { nowMs: () => startMs };
  return new Admission({
    channelConfig: () => channel.config,
    whitelist: new Whitelist({ file, clock, log: silentLog }),
    ledger: {
      get: (namespace: string, key: string) =>
        namespace === lifecycleNamespace && key === lifecycleKeys.metadata('notary')
          ? { value: utf8('x'), version: { blockNum: 1n, txNum: 0n } }
          : undefined,
      hasRequest: (id: string) => executed.includes(id),
      request: (id: string) =>
        executed.includes(id)
          ? { blockNumber: 7n, txId: 'ab', requestIndex: 3, code: 0 }
          : undefined,
    } as never,
    isPending: (id) => pending.includes(id),
    highSAllowed: true,
    log: silentLog,
    ...rest,
  });
}

function refusal(admission: Admission, bytes: Uint8Array, nowMs = startMs): Fault {
  try {
    admission.admit(bytes, nowMs);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('it was admitted');
}

t.test(
  '002-1 a request that names its client’s key is admitted with that client’s certificate',
  async (t) => {
    const admission = admissionOf(t);
    const bytes = signedRequest(clerk, byKid);
    const admitted = admission.admit(bytes, startMs);
    t.equal(admitted.keyId, 'clerk-1');
    t.strictSame(admitted.certificate, clerk.certificate.der);
    t.strictSame(admitted.request.bytes, bytes);
  },
);

t.test('002-2 a client that is not on the whitelist is refused', async (t) => {
  const admission = admissionOf(t);
  const unknown = refusal(admission, requestWith({ alg: 'ES256', kid: 'clerk-2' }));
  t.match(unknown, { code: 'MANAGER_CLIENT_UNKNOWN', kind: 'unauthenticated' });
  t.match(unknown.detail, { kid: 'clerk-2', requestId: /^[0-9a-f]{64}$/ });
});

t.test(
  '002-2 a client that was struck off the whitelist is refused by its key id and by its certificate',
  async (t) => {
    const admission = admissionOf(t, {
      registry: {
        clients: [{ ...registered.clients![0]!, status: 'revoked' }],
        organisations: [
          { msp: 'Org1MSP', status: 'active', grants: [{ ...notary, functions: ['*'] }] },
        ],
      },
    });
    const revoked = { code: 'MANAGER_CLIENT_REVOKED', kind: 'unauthenticated' };
    t.match(refusal(admission, requestWith(byKid)), revoked);
    t.match(refusal(admission, requestWith(byCertificate)), revoked);
  },
);

t.test('002-2 a client of an organisation that is not on the whitelist is refused', async (t) => {
  const admission = admissionOf(t, {
    registry: { organisations: [{ msp: 'Org2MSP', status: 'active', grants: [] }] },
  });
  const unknown = refusal(admission, requestWith(byCertificate));
  t.match(unknown, { code: 'MANAGER_CLIENT_UNKNOWN', kind: 'unauthenticated' });
  t.match(unknown.detail['client'], /^Org1MSP::CN=clerk/);
});

t.test('002-2 an organisation that was struck off the whitelist brings nobody in', async (t) => {
  const admission = admissionOf(t, {
    registry: { organisations: [{ msp: 'Org1MSP', status: 'revoked', grants: [] }] },
  });
  t.match(refusal(admission, requestWith(byCertificate)), { code: 'MANAGER_CLIENT_REVOKED' });
});

t.test('002-7 a client’s certificate may come in the request', async (t) => {
  const own = admissionOf(t).admit(signedRequest(clerk, byCertificate), startMs);
  t.equal(own.keyId, undefined);
  t.strictSame(own.certificate, clerk.certificate.der);
});

t.test(
  '002-21 any client that an organisation’s authority certified is admitted by its organisation',
  async (t) => {
    const grants = [{ ...notary, functions: ['deposit'] }];
    const admission = admissionOf(t, {
      registry: { organisations: [{ msp: 'Org1MSP', status: 'active', grants }] },
    });
    const newcomer = await makeMember(org1, 'Org1MSP', { name: 'newcomer' });
    const signer = { alg: 'ES256', x5c: [newcomer.certificate.der] } as const;
    t.strictSame(
      admission.admit(signedRequest(newcomer, signer), startMs).certificate,
      newcomer.certificate.der,
    );
  },
);

t.test(
  '002-21 a certificate of an authority that the channel does not know is refused',
  async (t) => {
    const stranger = await makeMember(await makeCa('Org1 CA'), 'Org1MSP');
    const grants = [{ ...notary, functions: ['deposit'] }];
    const admission = admissionOf(t, {
      registry: {
        clients: [{ kid: 'stranger', certificate: stranger.pem, status: 'active', grants }],
        organisations: [{ msp: 'Org1MSP', status: 'active', grants }],
      },
    });
    const untrusted = { code: 'MANAGER_CERTIFICATE_UNTRUSTED', kind: 'unauthenticated' };
    const x5c = [stranger.certificate.der, org1.certificate.der];
    t.match(refusal(admission, requestWith({ alg: 'ES256', kid: 'stranger' })), untrusted);
    t.match(refusal(admission, requestWith({ alg: 'ES256', x5c })), untrusted);
  },
);

t.test('a certificate counts between its dates only, also when it was seen before', async (t) => {
  const dated = await makeMember(org1, 'Org1MSP', {
    notBefore: new Date(startMs - 1_000),
    notAfter: new Date(startMs + 1_000),
  });
  const grants = [{ ...notary, functions: ['deposit'] }];
  const admission = admissionOf(t, {
    registry: { clients: [{ kid: 'dated', certificate: dated.pem, status: 'active', grants }] },
  });
  const bytes = requestWith({ alg: 'ES256', kid: 'dated' });
  t.ok(admission.admit(bytes, startMs));
  const untrusted = { code: 'MANAGER_CERTIFICATE_UNTRUSTED' };
  t.match(refusal(admission, bytes, startMs + 1_001), untrusted);
  t.match(refusal(admission, bytes, startMs - 1_001), untrusted);
});

const keys: readonly (readonly [
  alg: 'ES256' | 'ES384' | 'ES256K' | 'EdDSA' | 'RS256' | 'PS256',
  key: TestKey,
])[] = [
  ['ES256', ecKey()],
  ['ES384', ecKey('P-384')],
  ['ES256K', ecKey('secp256k1')],
  ['EdDSA', ed25519Key()],
  ['RS256', rsaKey()],
  ['PS256', rsaKey()],
];

t.test(
  '002-24 clients with RSA, elliptic and Edwards keys are admitted, each with its own algorithm',
  async (t) => {
    const grants = [{ ...notary, functions: ['deposit'] }];
    const admission = admissionOf(t, {
      registry: { organisations: [{ msp: 'Org1MSP', status: 'active', grants }] },
    });
    for (const [alg, key] of keys) {
      const member = await makeMember(org1, 'Org1MSP', { key, name: alg });
      const x5c = [member.certificate.der];
      t.ok(admission.admit(signedRequest(member, { alg, x5c }), startMs), alg);
      for (const [other] of keys) {
        if (other === alg || (/^[RP]S/.test(other) && /^[RP]S/.test(alg))) continue;
        const confused = refusal(admission, requestWith({ alg: other, x5c }));
        t.match(
          confused,
          { code: 'MANAGER_ALGORITHM_MISMATCH', kind: 'unauthenticated' },
          `${other} with ${alg}`,
        );
      }
    }
  },
);

const grantsThatMiss: Readonly<Record<string, Grant[]>> = {
  'no grant at all': [],
  'a grant for another channel': [{ ...notary, channel: 'other' }],
  'a grant for another contract': [{ ...notary, contract: 'other' }],
  'a grant for another function': [{ ...notary, functions: ['get'] }],
};

for (const [what, grants] of Object.entries(grantsThatMiss)) {
  t.test(`002-3 a client with ${what} is denied, and that is audited`, async (t) => {
    const audited: unknown[] = [];
    const log = {
      child: (bindings: { part: string }) => ({
        warn: (facts: object) => audited.push({ ...bindings, ...facts }),
      }),
    } as unknown as Log;
    const admission = admissionOf(t, {
      registry: {
        clients: [
          {
            ...registered.clients![0]!,
            grants: grants.map((one) => ({ ...one, functions: [...one.functions] })),
          },
        ],
      },
      log,
    });
    const denied = refusal(admission, requestWith(byKid));
    t.match(denied, { code: 'MANAGER_GRANT_MISSING', kind: 'denied' });
    t.match(audited, [
      { part: 'audit', code: 'MANAGER_GRANT_MISSING', client: /^Org1MSP::/, function: 'deposit' },
    ]);
    t.notMatch(JSON.stringify(audited), 'Grüße', 'arguments are never logged');
  });
}

t.test('002-3 every operation of a request needs a grant', async (t) => {
  const operations = [
    { function: 'deposit', args: [] },
    { function: 'revoke', args: [] },
  ];
  const denied = refusal(admissionOf(t), requestWith(byKid, { operations }));
  t.match(denied.detail, { function: 'revoke' });
});

t.test('002-3 an asterisk stands for any channel, contract and function', async (t) => {
  const grants = [{ channel: '*', contract: '*', functions: ['*'] }];
  const admission = admissionOf(t, {
    registry: { clients: [{ ...registered.clients![0]!, grants }] },
  });
  t.ok(admission.admit(requestWith(byKid), startMs));
  t.ok(
    admission.admit(requestWith(byKid, { contract: '_lifecycle' }), startMs),
    'deployment needs no definition',
  );
  t.match(refusal(admission, requestWith(byKid, { contract: 'unknown' })), {
    code: 'MANAGER_CONTRACT_UNKNOWN',
    kind: 'absent',
  });
});

t.test('a request for another channel is refused', async (t) => {
  const absent = refusal(admissionOf(t), requestWith(byKid, { channel: 'other' }));
  t.match(absent, { code: 'MANAGER_CHANNEL_UNKNOWN', kind: 'absent' });
});

t.test('a request is taken from just before its date until it expires', async (t) => {
  const admission = admissionOf(t);
  const bytes = requestWith(byKid);
  const earliestMs = startMs - limits.clockSkewSecondsMax * 1_000;
  t.ok(admission.admit(bytes, earliestMs));
  t.match(refusal(admission, bytes, earliestMs - 1), { code: 'MANAGER_REQUEST_EARLY' });
  t.ok(admission.admit(bytes, startMs + 599_999));
  t.match(refusal(admission, bytes, startMs + 600_000), { code: 'MANAGER_REQUEST_EXPIRED' });
});

t.test('a signature with a high s is taken unless that is forbidden', async (t) => {
  const high = new Uint8Array(64).fill(0xff);
  const bytes = requestWith(byKid, {}, high);
  t.ok(admissionOf(t).admit(bytes, startMs));
  const strict = admissionOf(t, { highSAllowed: false });
  t.match(refusal(strict, bytes), { code: 'MANAGER_SIGNATURE_HIGH', kind: 'malformed' });
  t.ok(strict.admit(signedRequest(clerk, byKid), startMs));
});

t.test(
  '002-8 a request that was executed is refused with its place, whatever its signature',
  async (t) => {
    const bytes = signedRequest(clerk, byKid);
    const { requestId } = admissionOf(t).admit(bytes, startMs).request;
    const admission = admissionOf(t, { executed: [requestId] });
    const replayed = refusal(admission, bytes);
    t.match(replayed, { code: 'MANAGER_REQUEST_REPLAYED', kind: 'conflict' });
    t.match(replayed.detail, { requestId, block: 7n, transaction: 'ab', requestIndex: 3 });
    const other = Buffer.from(bytes);
    other.write(other.at(-1) === 0x41 ? 'Q' : 'A', other.length - 1);
    t.match(refusal(admission, other).code, /REPLAYED|ENCODING/);
  },
);

t.test('a request that is under way is refused', async (t) => {
  const bytes = signedRequest(clerk, byKid);
  const { requestId } = admissionOf(t).admit(bytes, startMs).request;
  const pending = refusal(admissionOf(t, { pending: [requestId] }), bytes);
  t.match(pending, { code: 'MANAGER_REQUEST_PENDING', kind: 'conflict' });
});

t.test('whatever is done to a request, admission answers with a fault or admits it', async (t) => {
  const admission = admissionOf(t);
  const outcome = { refused: 0, accepted: 0 };
  for (const [seed, signer] of [byKid, byCertificate].entries()) {
    const bytes = signedRequest(clerk, signer);
    const { escaped, refused, accepted } = fuzz((one) => admission.admit(one, startMs), bytes, {
      seed,
      rounds: 3_000,
    });
    t.strictSame(escaped, []);
    outcome.refused += refused;
    outcome.accepted += accepted;
  }
  t.ok(outcome.refused > 1_000, 'most wounds are seen');
});
