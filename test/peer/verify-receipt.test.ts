import t from 'tap';
import { Fault, toBase64, utf8 } from '#base';
import { derToRaw } from '#crypto';
import { assembleJws, encodeReceipt, parseRequest, receiptJson, validationCodes } from '#formats';
import { verifyReceipt } from '#peer';
import { mutate, seededRandom } from '../crypto/fuzzing.ts';
import { testNetwork, testOrg } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import { bundleTransaction, madeMs, requestOf } from '../support/test-transactions.ts';
import {
  bundle,
  chain,
  early,
  good,
  network,
  receiptOf,
  trust,
  verify,
  withCertificate,
  withKid,
} from './receipt-sample.ts';

const { zone, orgs } = network;
const [org] = orgs;

t.test('a receipt tells who asked for what, where it stands, and who signed that', async (t) => {
  const requestId = parseRequest(withCertificate).requestId;
  t.same(verify(receiptOf(chain, withCertificate)), {
    requestId,
    channel: 'trade',
    outcome: 'executed',
    validation: { code: 0, name: 'VALID' },
    result: { status: 200, message: '', code: '' },
    contract: 'notary',
    issuedAt: madeMs / 1_000,
    transaction: { txId: bundle.txId, block: 2n, requestIndex: 1 },
    sealedBy: {
      block: 3n,
      headerHash: verify(receiptOf(chain, withKid)).sealedBy.headerHash,
      signers: ['ZoneMSP::CN=orderer.Zone,OU=orderer'],
    },
    client: {
      signature: 'verified',
      subjectId: 'Org1MSP::CN=client.Org1,OU=client',
      certificate: org!.client.pem,
    },
  });
});

t.test(
  'a receipt without the client’s certificate names its key, and says what is open',
  async (t) => {
    t.match(verify(receiptOf(chain, withKid)).client, {
      kid: 'clerk',
      signature: /^not verified/,
    });
  },
);

t.test('a receipt is as good against its own block as against a later one', async (t) => {
  t.equal(verify(early).sealedBy.block, 2n);
  t.equal(verify(receiptOf(chain, withKid)).sealedBy.block, 3n);
});

t.test(
  'a receipt is verified under a configuration as well as under a genesis block',
  async (t) => {
    const file = utf8(encodeReceipt(early));
    t.same(verifyReceipt(file, { channelConfig: chain.config }), verifyReceipt(file, trust));
  },
);

t.test('a receipt of an invalid transaction says so', async (t) => {
  const failed = new TestChain(network);
  const request = requestOf(network, { key: 'f', value: '1' });
  const code = validationCodes.ENDORSEMENT_POLICY_FAILURE;
  failed.append(bundleTransaction(network, [request], { endorsedBy: [1], code }));
  t.match(verify(receiptOf(failed, request)), {
    outcome: 'invalidated',
    validation: { code: 10, name: 'ENDORSEMENT_POLICY_FAILURE' },
  });
});

t.test('what is no receipt at all is refused', async (t) => {
  const json = receiptJson(good);
  for (const text of [
    '',
    'null',
    '{}',
    JSON.stringify({ ...json, format: 'countersign-receipt/2' }),
    JSON.stringify({ ...json, note: 'trust me' }),
    JSON.stringify({ ...json, leafIndex: 1 }),
    JSON.stringify({ ...json, signatures: toBase64(utf8('not protobuf')) }),
  ]) {
    t.throws(() => verifyReceipt(utf8(text), trust), { code: 'PEER_RECEIPT_UNREADABLE' }, text);
  }
});

t.test('002-16 a receipt sealed by anyone but an orderer of the channel is refused', async (t) => {
  const stranger = await testOrg('Zone');
  for (const signer of [
    { mspid: zone.mspid, identity: zone.client },
    { mspid: org!.mspid, identity: org!.orderer },
    { mspid: zone.mspid, identity: stranger.orderer },
    { mspid: 'NoMSP', identity: zone.orderer },
  ]) {
    const forged = new TestChain(network);
    const transaction = bundleTransaction(network, [withKid]);
    const { header, metadata } = forged.make([transaction], { signer });
    forged.append(transaction);
    const honest = receiptOf(forged, withKid);
    t.equal(verify(honest).outcome, 'executed', 'all of it is right but the signer');
    const receipt = { ...honest, block: header!, signatures: metadata!.metadata[0]! };
    t.throws(() => verify(receipt), { code: 'PEER_RECEIPT_SIGNER_UNTRUSTED' }, signer.mspid);
  }
});

t.test('a receipt of another channel is refused, however right it is', async (t) => {
  const elsewhere = await testNetwork(1);
  const other = new TestChain({
    ...elsewhere,
    spec: { ...elsewhere.spec, channelId: 'elsewhere' },
  });
  const request = requestOf(elsewhere, { key: 'a', value: '1', channel: 'elsewhere' });
  other.append(bundleTransaction(elsewhere, [request]));
  const file = utf8(encodeReceipt(receiptOf(other, request)));
  t.equal(verifyReceipt(file, { genesis: other.genesis }).channel, 'elsewhere');
  t.throws(() => verifyReceipt(file, trust), { code: 'PEER_RECEIPT_CHANNEL_OTHER' });
});

t.test('a client’s certificate has to be of a member of the channel', async (t) => {
  const stranger = { ...network, orgs: [await testOrg('Org1')] };
  const request = requestOf(stranger, { key: 'a', value: '1', with: 'certificate' });
  const own = new TestChain(network);
  own.append(bundleTransaction(network, [request]));
  const code = 'PEER_RECEIPT_CLIENT_UNTRUSTED';
  t.throws(() => verify(receiptOf(own, request)), { code });
});

t.test('a client’s signature has to be by the certificate that goes with it', async (t) => {
  const input = requestOf(network, { key: 'a', value: '1', with: 'certificate' });
  const signingInput = input.subarray(0, input.lastIndexOf(0x2e));
  const request = utf8(assembleJws(signingInput, derToRaw(orgs[1]!.client.sign(signingInput), 32)));
  const own = new TestChain(network);
  own.append(bundleTransaction(network, [request]));
  const code = 'PEER_RECEIPT_CLIENT_SIGNATURE_INVALID';
  t.throws(() => verify(receiptOf(own, request)), { code });
});

t.test('a mutated receipt is refused by a fault, or says the same', async (t) => {
  const file = utf8(encodeReceipt(good));
  const random = seededRandom(20_261_121);
  const truth = JSON.stringify(verify(good), bigintAsText);
  const channelConfig = chain.config;
  const wrong: unknown[] = [];
  let refusals = 0;
  for (let round = 0; round < 1_500; round += 1) {
    try {
      const verified = verifyReceipt(mutate(file, random), { channelConfig });
      if (JSON.stringify(verified, bigintAsText) !== truth) wrong.push(verified);
    } catch (error) {
      if (!(error instanceof Fault && error.code.startsWith('PEER_RECEIPT_'))) wrong.push(error);
      refusals += 1;
    }
  }
  t.same(wrong, []);
  t.ok(refusals > 1_000, `${refusals} of 1500 are refused`);
});

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
