import t from 'tap';
import { Fault, toBase64, utf8 } from '#base';
import { derToRaw } from '#crypto';
import {
  Metadata,
  RequestResult,
  assembleJws,
  encodeReceipt,
  parseRequest,
  receiptJson,
  validationCodes,
} from '#formats';
import type { Receipt } from '#formats';
import { verifyReceipt } from '#peer';
import { mutate, seededRandom } from '../crypto/fuzzing.ts';
import { testNetwork, testOrg } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import {
  bundleTransaction,
  definitionOf,
  madeMs,
  requestOf,
} from '../support/test-transactions.ts';

const network = await testNetwork(2);
const { zone, orgs } = network;
const [org] = orgs;
const trust = { genesis: new TestChain(network).genesis };

const withKid = requestOf(network, { key: 'a', value: '1' });
const withCertificate = requestOf(network, { key: 'b', value: '2', with: 'certificate' });
const others = ['c', 'd', 'e'].map((key) => requestOf(network, { key, value: '3' }));

/** Block 2 holds the first two requests, block 3 the others. */
const chain = new TestChain(network);
chain.append(definitionOf(network, 'notary'));
const bundle = bundleTransaction(network, [withKid, withCertificate]);
chain.append(bundle);
const early = receiptOf(chain, withKid);
chain.append(bundleTransaction(network, others));

function receiptOf(of: TestChain, jws: Uint8Array): Receipt {
  return of.receipt(parseRequest(jws).requestIdBytes);
}

const verify = (receipt: Receipt) => verifyReceipt(utf8(encodeReceipt(receipt)), trust);

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

const good = receiptOf(chain, withCertificate);
const flipped = (bytes: Uint8Array, at = bytes.length - 1) =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
const jwsWith = (part: number, change: (text: string) => string) =>
  good.request
    .split('.')
    .map((text, index) => (index === part ? change(text) : text))
    .join('.');
const lastButOne = (text: string) => {
  const at = text.length - 4;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
};
const anotherResult = RequestResult.encode({
  ...RequestResult.decode(good.result),
  message: 'as the holder would like it',
});
const mismatch = 'PEER_RECEIPT_REQUEST_MISMATCH';

/** Every member of a receipt with another value, and how that is refused. */
const altered: Record<string, [change: Partial<Receipt>, code: string]> = {
  channel: [{ channel: 'other' }, mismatch],
  'request (payload)': [{ request: jwsWith(1, lastButOne) }, 'PEER_RECEIPT_UNREADABLE'],
  'request (signature)': [{ request: jwsWith(2, lastButOne) }, mismatch],
  'request (of somebody else)': [{ request: early.request }, mismatch],
  result: [{ result: anotherResult }, 'PEER_RECEIPT_RESULT_MISMATCH'],
  'result (of another request)': [{ result: early.result }, 'PEER_RECEIPT_RESULT_MISMATCH'],
  leafIndex: [{ leafIndex: good.leafIndex + 1n }, 'PEER_RECEIPT_PROOF_INVALID'],
  'leafIndex (past all numbers)': [{ leafIndex: 2n ** 64n - 1n }, 'PEER_RECEIPT_PROOF_INVALID'],
  treeSize: [{ treeSize: good.treeSize + 1n }, 'PEER_RECEIPT_BLOCK_MISMATCH'],
  'inclusionProof (order)': [
    { inclusionProof: good.inclusionProof.toReversed() },
    'PEER_RECEIPT_PROOF_INVALID',
  ],
  'inclusionProof (shorter)': [
    { inclusionProof: good.inclusionProof.slice(1) },
    'PEER_RECEIPT_PROOF_INVALID',
  ],
  'inclusionProof (longer)': [
    { inclusionProof: [...good.inclusionProof, good.leaf.resultHash] },
    'PEER_RECEIPT_PROOF_INVALID',
  ],
  'certificates (a stranger’s)': [
    { certificates: [(await testOrg('Stranger')).ca.certificate.der] },
    'PEER_RECEIPT_CERTIFICATE_UNKNOWN',
  ],
  'certificates (no certificate)': [
    { certificates: [utf8('x')] },
    'PEER_RECEIPT_CERTIFICATE_UNKNOWN',
  ],
  'signatures (of another block)': [
    { signatures: early.signatures },
    'PEER_RECEIPT_BLOCK_MISMATCH',
  ],
  'signatures (last bit)': [
    { signatures: flipped(good.signatures) },
    'PEER_RECEIPT_SIGNATURE_INVALID',
  ],
  'signatures (none)': [
    { signatures: Metadata.encode({ value: Metadata.decode(good.signatures).value }) },
    'PEER_RECEIPT_SIGNATURE_INVALID',
  ],
  'signatures (bytes that nothing signs)': [
    { signatures: Uint8Array.from([...good.signatures, 0x1a, 0x01, 0x41]) },
    'PEER_RECEIPT_SIGNATURES_ALTERED',
  ],
  'signatures (identifier header)': [
    { signatures: withIdentifierHeader(good.signatures) },
    'PEER_RECEIPT_SIGNATURES_ALTERED',
  ],
};
for (const [member, change] of Object.entries({
  requestHash: [flipped(good.leaf.requestHash), mismatch],
  resultHash: [flipped(good.leaf.resultHash), 'PEER_RECEIPT_RESULT_MISMATCH'],
  blockNumber: [good.leaf.blockNumber - 1n, 'PEER_RECEIPT_PROOF_INVALID'],
  txId: ['f'.repeat(64), 'PEER_RECEIPT_PROOF_INVALID'],
  requestIndex: [0, 'PEER_RECEIPT_PROOF_INVALID'],
  validationCode: [1, 'PEER_RECEIPT_PROOF_INVALID'],
} as const)) {
  altered[`leaf.${member}`] = [{ leaf: { ...good.leaf, [member]: change[0] } }, change[1]];
}
altered['leaf.blockNumber (after the block)'] = [
  { leaf: { ...good.leaf, blockNumber: good.block.number + 1n } },
  'PEER_RECEIPT_PROOF_INVALID',
];
for (const [member, value] of Object.entries({
  number: good.block.number + 1n,
  previousHash: flipped(good.block.previousHash),
  dataHash: flipped(good.block.dataHash),
})) {
  const block = { ...good.block, [member]: value };
  altered[`block.${member}`] = [{ block }, 'PEER_RECEIPT_SIGNATURE_INVALID'];
}

function withIdentifierHeader(signatures: Uint8Array): Uint8Array {
  const entry = Metadata.decode(signatures);
  const [first] = entry.signatures;
  const changed = { ...first!, identifierHeader: utf8('unsigned') };
  return Metadata.encode({ ...entry, signatures: [changed] });
}

for (const [member, [change, code]] of Object.entries(altered)) {
  t.test(`a receipt with another ${member} is refused as ${code}`, async (t) => {
    t.throws(() => verify({ ...good, ...change }), { code });
  });
}

t.test('every member of a receipt is among the altered ones', async (t) => {
  const { format: _format, leaf, block, ...rest } = receiptJson(good);
  const names = [
    ...Object.keys(rest),
    ...Object.keys(leaf).map((name) => `leaf.${name}`),
    ...Object.keys(block).map((name) => `block.${name}`),
  ];
  const covered = new Set(Object.keys(altered).map((name) => name.split(' ')[0]));
  t.same(
    names.filter((name) => !covered.has(name)),
    [],
  );
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
  const truth = verify(good);
  let refusals = 0;
  for (let round = 0; round < 1_500; round += 1) {
    try {
      t.same(verifyReceipt(mutate(file, random), trust), truth);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      t.match(error.code, /^PEER_RECEIPT_/);
      refusals += 1;
    }
  }
  t.ok(refusals > 1_000, `${refusals} of 1500 are refused`);
});
