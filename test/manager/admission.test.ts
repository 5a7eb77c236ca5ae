import t from 'tap';
import { limits, utf8 } from '#base';
import type { Log } from '#base';
import { assembleJws, parseTransaction } from '#formats';
import { fuzz } from '../crypto/fuzzing.ts';
import {
  admissionOf,
  byCertificate,
  byKid,
  clerk,
  clerkEntry,
  commit,
  deposit,
  refusal,
} from './admission-setting.ts';
import { startMs } from './channel.ts';
import { requestWith, signedRequest } from './signed-request.ts';

const grantsThatMiss: Readonly<Record<string, (typeof deposit)[]>> = {
  'no grant at all': [],
  'a grant for another channel': [{ ...deposit, channel: 'other' }],
  'a grant for another contract': [{ ...deposit, contract: 'other' }],
  'a grant for another function': [{ ...deposit, functions: ['get'] }],
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
        clients: [clerkEntry({ grants })],
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
    registry: { clients: [clerkEntry({ grants })] },
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
    const admission = admissionOf(t);
    const bytes = signedRequest(clerk, byKid);
    const { requestId, signingInput } = admission.admit(bytes, startMs).request;
    const { number, block } = await commit([{ requests: [signedRequest(clerk, byKid), bytes] }]);
    const { txId } = parseTransaction(block.data!.data[0]!).channelHeader;
    const replayed = refusal(admission, bytes);
    t.match(replayed, { code: 'MANAGER_REQUEST_REPLAYED', kind: 'conflict' });
    t.match(replayed.detail, { requestId, block: number, transaction: txId, requestIndex: 1 });
    const malleated = utf8(assembleJws(signingInput, new Uint8Array(64).fill(1)));
    t.equal(refusal(admission, malleated).code, 'MANAGER_REQUEST_REPLAYED');
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
