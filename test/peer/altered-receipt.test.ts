import t from 'tap';
import { utf8 } from '#base';
import { Metadata, RequestResult, receiptJson } from '#formats';
import type { Receipt } from '#formats';
import { testOrg } from '../policy/test-channel.ts';
import { early, good, verify } from './receipt-sample.ts';

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
