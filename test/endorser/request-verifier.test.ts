import t from 'tap';
import { utf8 } from '#base';
import { RequestVerifier } from '../../endorser/request-verifier.ts';
import type { RequestContext } from '../../endorser/request-verifier.ts';
import { testNetwork } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import { madeMs, requestOf } from '../support/test-transactions.ts';

const network = await testNetwork(2);
const { config } = new TestChain(network);
const clerk = network.orgs[0]!.client.certificate.der;

function context(changes: Partial<RequestContext> = {}): RequestContext {
  return {
    channel: config.channelId,
    contract: 'notary',
    config,
    at: new Date(madeMs + 1_000),
    clients: new Map([['clerk', clerk]]),
    wasExecuted: () => false,
    ...changes,
  };
}

function withSignature(jws: Uint8Array, change: (signature: string) => string): Uint8Array {
  const [header, payload, signature = ''] = new TextDecoder().decode(jws).split('.');
  return utf8(`${header}.${payload}.${change(signature)}`);
}

t.test('002-8 a request whose signature is right is accepted as its client', async (t) => {
  const verifier = new RequestVerifier();
  for (const how of ['kid', 'certificate'] as const) {
    const { identity } = verifier.verify(
      requestOf(network, { key: 'a', value: '1', with: how }),
      context(),
    );
    t.equal(identity.mspid, 'Org1MSP');
    t.match(identity.subjectId, /^Org1MSP::CN=/);
  }
});

t.test('002-8 a changed signature or changed data is refused', async (t) => {
  const verifier = new RequestVerifier();
  const jws = requestOf(network, { key: 'a', value: '1' });
  const flipped = withSignature(jws, (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1));
  t.throws(() => verifier.verify(flipped, context()), { code: 'ENDORSER_SIGNATURE_BAD' });
  const other = requestOf(network, { key: 'a', value: '2' });
  const [, , signature = ''] = new TextDecoder().decode(other).split('.');
  const swapped = withSignature(jws, () => signature);
  t.throws(() => verifier.verify(swapped, context()), { code: 'ENDORSER_SIGNATURE_BAD' });
});

t.test('002-8 a good signature that was seen before does not vouch for another', async (t) => {
  const verifier = new RequestVerifier();
  const jws = requestOf(network, { key: 'a', value: '1' });
  verifier.verify(jws, context());
  verifier.verify(jws, context());
  const stranger = network.orgs[1]!.client.certificate.der;
  const clients = new Map([['clerk', stranger]]);
  t.throws(() => verifier.verify(jws, context({ clients })), { code: 'ENDORSER_SIGNATURE_BAD' });
});

t.test('002-8 a request that was executed before is refused', async (t) => {
  const jws = requestOf(network, { key: 'a', value: '1' });
  t.throws(() => new RequestVerifier().verify(jws, context({ wasExecuted: () => true })), {
    code: 'ENDORSER_REQUEST_REPLAYED',
    kind: 'conflict',
  });
});

t.test('an expired request is refused at the transaction’s own time', async (t) => {
  const jws = requestOf(network, { key: 'a', value: '1' });
  const verifier = new RequestVerifier();
  verifier.verify(jws, context({ at: new Date(madeMs + 599_000) }));
  t.throws(() => verifier.verify(jws, context({ at: new Date(madeMs + 600_000) })), {
    code: 'ENDORSER_REQUEST_EXPIRED',
  });
});

t.test('a request for another channel or contract than its bundle is refused', async (t) => {
  const verifier = new RequestVerifier();
  const jws = requestOf(network, { key: 'a', value: '1' });
  for (const changes of [{ contract: 'seal' }, { channel: 'other' }]) {
    t.throws(() => verifier.verify(jws, context(changes)), { code: 'ENDORSER_REQUEST_MISPLACED' });
  }
});

t.test('002-7 a key id that no certificate was pushed for is refused', async (t) => {
  const jws = requestOf(network, { key: 'a', value: '1' });
  t.throws(() => new RequestVerifier().verify(jws, context({ clients: new Map() })), {
    code: 'ENDORSER_CLIENT_UNKNOWN',
  });
});

t.test('a certificate from outside the channel is refused, whoever pushes it', async (t) => {
  const elsewhere = await testNetwork(1);
  const clients = new Map([['clerk', elsewhere.orgs[0]!.client.certificate.der]]);
  const jws = requestOf(network, { key: 'a', value: '1' });
  t.throws(() => new RequestVerifier().verify(jws, context({ clients })), {
    code: 'POLICY_IDENTITY_INVALID',
  });
});
