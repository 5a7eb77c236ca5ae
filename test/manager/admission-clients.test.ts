import t from 'tap';
import { concatBytes, fromHex } from '#base';
import { sm2PublicKeyOf } from '#crypto';
import { makeCa } from '../crypto/certificates.ts';
import { ecKey, ed25519Key, rsaKey } from '../crypto/keys.ts';
import type { TestKey } from '../crypto/keys.ts';
import {
  admissionOf,
  byCertificate,
  byKid,
  clerk,
  clerkEntry,
  deposit,
  org1,
  refusal,
} from './admission-setting.ts';
import { makeMember, startMs } from './channel.ts';
import { requestWith, signedRequest } from './signed-request.ts';

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
        clients: [clerkEntry({ status: 'revoked' })],
        organisations: [
          { msp: 'Org1MSP', status: 'active', grants: [{ ...deposit, functions: ['*'] }] },
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
    const grants = [deposit];
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
    const grants = [deposit];
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
  const grants = [deposit];
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
    const grants = [deposit];
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

t.test('002-24 a client with an SM2 key is admitted with SM2 and nothing else', async (t) => {
  const header = fromHex('3059301306072a8648ce3d020106082a811ccf5501822d034200')!;
  const spki = concatBytes(header, sm2PublicKeyOf(new Uint8Array(32).fill(7)));
  // Its private key is no key of node:crypto; admission leaves the signature to the endorsers.
  const key: TestKey = { ...ecKey(), spki };
  const member = await makeMember(org1, 'Org1MSP', { key, name: 'SM2' });
  const x5c = [member.certificate.der];
  const admission = admissionOf(t, {
    registry: { organisations: [{ msp: 'Org1MSP', status: 'active', grants: [deposit] }] },
  });
  t.ok(admission.admit(requestWith({ alg: 'SM2', x5c }), startMs));
  const confused = refusal(admission, requestWith({ alg: 'ES256', x5c }));
  t.match(confused, { code: 'MANAGER_ALGORITHM_MISMATCH' });
});
