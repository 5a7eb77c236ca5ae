import t from 'tap';
import { Fault, emptyBytes, limits, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  Metadata,
  SerializedIdentity,
  checkReceipt,
  encodeReceipt,
  encodeRequest,
  headerHash,
  parseReceipt,
  receiptJson,
  receiptText,
  signaturesValue,
} from '#formats';
import type { Receipt } from '#formats';
import { SeededRandom } from './random.ts';
import { makeReceipt, ordererIdentity, signedMetadata } from './receipt-sample.ts';
import { goodPayload, jwsOf } from './request-sample.ts';

const receipt = makeReceipt();

t.test('a receipt survives its file', async (t) => {
  const file = encodeReceipt(receipt);
  t.strictSame(parseReceipt(file), receipt);
  t.strictSame(parseReceipt(utf8(file)), receipt);
  const large = { ...receipt, treeSize: 2n ** 64n - 1n, leafIndex: 2n ** 63n };
  t.strictSame(parseReceipt(encodeReceipt(large)), large, '64 bits are kept');
});

t.test('002-14 a receipt is checked without a server and says who signed the block', async (t) => {
  const facts = checkReceipt(parseReceipt(encodeReceipt(receipt)));
  t.equal(facts.outcome, 'executed');
  t.equal(facts.channel, 'deeds');
  t.strictSame(facts.request.payload, goodPayload);
  t.strictSame(facts.result.payloads, [utf8('deed 7')]);
  t.strictSame(facts.headerHash, headerHash(receipt.block));
  t.equal(facts.signatures.length, 1);
  t.strictSame(facts.signatures[0]?.identity, ordererIdentity);
  t.equal(facts.signatures[0]?.mspid, 'ZoneMSP');
});

t.test(
  'a receipt tells a failed request and an invalidated one from an executed one',
  async (t) => {
    const failed = makeReceipt({ result: { status: 409, code: 'CONTRACT_FAILED', payloads: [] } });
    t.equal(checkReceipt(failed).outcome, 'failed');
    t.equal(checkReceipt(makeReceipt({ leaf: { validationCode: 11 } })).outcome, 'invalidated');
  },
);

function refusal(changed: Receipt): string | undefined {
  try {
    checkReceipt(changed);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

t.test('a receipt of which anything was changed is refused', async (t) => {
  const otherRequest = jwsOf(
    encodeRequest({ alg: 'ES256', kid: 'clerk-7' }, { ...goodPayload, iat: goodPayload.iat + 1 }),
  );
  const flipped = (bytes: Uint8Array) =>
    bytes.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
  const { leaf, block } = receipt;
  const cases: [string, Partial<Receipt>, string][] = [
    ['another request', { request: otherRequest }, 'FORMATS_RECEIPT_REQUEST_MISMATCH'],
    [
      'another signature',
      { request: `${receipt.request}AAAA` },
      'FORMATS_RECEIPT_REQUEST_MISMATCH',
    ],
    ['another channel', { channel: 'other' }, 'FORMATS_RECEIPT_REQUEST_MISMATCH'],
    [
      'another result',
      { result: makeReceipt({ result: { status: 201 } }).result },
      'FORMATS_RECEIPT_RESULT_MISMATCH',
    ],
    [
      'another index in the bundle',
      { leaf: { ...leaf, requestIndex: 1 } },
      'FORMATS_RECEIPT_PROOF_INVALID',
    ],
    [
      'another transaction',
      { leaf: { ...leaf, txId: 'cd'.repeat(32) } },
      'FORMATS_RECEIPT_PROOF_INVALID',
    ],
    ['another code', { leaf: { ...leaf, validationCode: 11 } }, 'FORMATS_RECEIPT_PROOF_INVALID'],
    ['another place in the log', { leafIndex: 1n }, 'FORMATS_RECEIPT_PROOF_INVALID'],
    ['a place past the log', { leafIndex: 2n ** 60n }, 'FORMATS_RECEIPT_PROOF_INVALID'],
    [
      'half a proof',
      { inclusionProof: receipt.inclusionProof.slice(1) },
      'FORMATS_RECEIPT_PROOF_INVALID',
    ],
    [
      'a changed proof',
      { inclusionProof: receipt.inclusionProof.map(flipped) },
      'FORMATS_RECEIPT_PROOF_INVALID',
    ],
    ['another log size', { treeSize: 6n }, 'FORMATS_RECEIPT_BLOCK_MISMATCH'],
    [
      'another block number',
      { block: { ...block, number: 13n } },
      'FORMATS_RECEIPT_SIGNATURE_INVALID',
    ],
    [
      'a block before the request',
      { block: { ...block, number: 11n } },
      'FORMATS_RECEIPT_BLOCK_MISMATCH',
    ],
    [
      'another data hash',
      { block: { ...block, dataHash: sha256(utf8('x')) } },
      'FORMATS_RECEIPT_SIGNATURE_INVALID',
    ],
  ];
  for (const [why, change, code] of cases) t.equal(refusal({ ...receipt, ...change }), code, why);
});

t.test('a result of another request is refused though the leaf commits to it', async (t) => {
  const foreign = makeReceipt({ result: { requestId: sha256(utf8('other')) } });
  t.equal(refusal(foreign), 'FORMATS_RECEIPT_RESULT_MISMATCH');
});

t.test('a block that nobody rightly signed is refused', async (t) => {
  const { value } = Metadata.decode(receipt.signatures);
  const unsigned = Metadata.encode({ value, signatures: [] });
  t.equal(refusal({ ...receipt, signatures: unsigned }), 'FORMATS_RECEIPT_SIGNATURE_INVALID');
  const [good] = Metadata.decode(receipt.signatures).signatures;
  if (good === undefined) throw new Error('a signature is missing');
  const bad = { ...good, signature: new Uint8Array(70) };
  for (const signatures of [[bad], [good, bad]]) {
    const changed = { ...receipt, signatures: Metadata.encode({ value, signatures }) };
    t.equal(refusal(changed), 'FORMATS_RECEIPT_SIGNATURE_INVALID');
  }
  const otherValue = signaturesValue({ lastConfigIndex: 1n });
  const noLog = { ...receipt, signatures: signedMetadata(otherValue, receipt.block) };
  t.equal(refusal(noLog), 'FORMATS_RECEIPT_BLOCK_MISMATCH', 'a block without a log');
  for (const idBytes of [emptyBytes, utf8('no PEM'), Uint8Array.of(0xff)]) {
    const creator = SerializedIdentity.encode({ mspid: 'ZoneMSP', idBytes });
    const signatures = signedMetadata(value, receipt.block, creator);
    t.equal(refusal({ ...receipt, signatures }), 'FORMATS_RECEIPT_SIGNER_INVALID');
  }
});

t.test(
  'what receipts share in turn, a block or a part of a proof, is each one’s own',
  async (t) => {
    const block = { ...receipt.block, number: receipt.block.number + 1n };
    const [, ...upper] = receipt.inclusionProof;
    const other = { ...receipt, block, inclusionProof: [new Uint8Array(32), ...upper] };
    const resigned = { ...other, signatures: Uint8Array.of(1) };
    const longer = { ...receipt, inclusionProof: [...other.inclusionProof, new Uint8Array(32)] };
    for (const one of [receipt, other, resigned, other, receipt, longer, receipt]) {
      t.strictSame(parseReceipt(receiptText(one)), one);
    }
  },
);

t.test('a receipt file has exactly its members', async (t) => {
  const json = receiptJson(receipt);
  const { leaf, block } = json;
  const code = (value: unknown) => {
    try {
      parseReceipt(JSON.stringify(value));
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return `${error.code} ${error.detail['member'] ?? ''}`.trim();
      throw error;
    }
  };
  t.equal(code(json), undefined);
  const invalid = 'FORMATS_RECEIPT_MEMBER_INVALID';
  for (const name of Object.keys(json).filter((name) => name !== 'format')) {
    t.equal(code({ ...json, [name]: undefined }), `${invalid} ${name}`);
    t.equal(code({ ...json, [name]: 7 }), `${invalid} ${name}`);
  }
  for (const name of Object.keys(leaf)) {
    t.equal(code({ ...json, leaf: { ...leaf, [name]: null } }), `${invalid} ${name}`);
  }
  for (const name of Object.keys(block)) {
    t.equal(code({ ...json, block: { ...block, [name]: null } }), `${invalid} ${name}`);
  }
  t.equal(code({ ...json, note: 'x' }), `${invalid} note`);
  t.equal(code({ ...json, leaf: { ...leaf, note: 'x' } }), `${invalid} note`);
  for (const size of ['', '-1', '01', '1.0', '18446744073709551616', ' 1', '0x1']) {
    t.equal(code({ ...json, treeSize: size }), `${invalid} treeSize`, size);
  }
  t.equal(code({ ...json, inclusionProof: ['AA=='] }), `${invalid} inclusionProof`);
  const long = Array.from({ length: 65 }, () => block.dataHash);
  t.equal(code({ ...json, inclusionProof: long }), `${invalid} inclusionProof`);
  t.equal(code({ ...json, result: 'AA' }), `${invalid} result`);
  for (const format of [undefined, 'countersign-receipt/2']) {
    t.equal(code({ ...json, format }), 'FORMATS_RECEIPT_FORMAT_UNKNOWN');
  }
  t.equal(code([]), 'FORMATS_RECEIPT_FORMAT_UNKNOWN');
});

t.test('a receipt file is strict JSON of bounded size', async (t) => {
  const file = encodeReceipt(receipt);
  const twice = file.replace('"channel"', '"channel": "x", "channel"');
  t.throws(() => parseReceipt(twice), { code: 'FORMATS_RECEIPT_JSON_INVALID' });
  t.throws(() => parseReceipt(file.slice(1)), { code: 'FORMATS_RECEIPT_JSON_INVALID' });
  const huge = new Uint8Array(limits.receiptBytesMax + 1);
  t.throws(() => parseReceipt(huge), { code: 'FORMATS_RECEIPT_TOO_LARGE' });
});

t.test('mutated receipts are refused with a fault, or say the same', async (t) => {
  const random = new SeededRandom(7);
  const file = utf8(encodeReceipt(receipt));
  let refused = 0;
  for (let round = 0; round < 1_500; round += 1) {
    try {
      const { request, result, leaf } = checkReceipt(parseReceipt(random.mutate(file)));
      const same = request.requestId === checkReceipt(receipt).request.requestId;
      if (!same || result.status !== 200 || leaf.blockNumber !== 12n) t.fail('a forged receipt');
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refused += 1;
    }
  }
  t.ok(refused > 1_000, `${refused} refused`);
});
