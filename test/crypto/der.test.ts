import t from 'tap';
import { fromHex, limits, toHex } from '#base';
import { readDer } from '../../crypto/der-reader.ts';
import type { DerReader } from '../../crypto/der-reader.ts';
import { readTime } from '../../crypto/der-time.ts';
import {
  derInteger,
  derNamedBits,
  derOctetString,
  derOid,
  derSequence,
} from '../../crypto/der-writer.ts';

const malformed = { code: 'CRYPTO_DER_MALFORMED' };

function refuses(t: Tap, hexes: readonly string[], read: (reader: DerReader) => unknown): void {
  for (const hex of hexes) t.throws(() => readDer(fromHex(hex)!, read), malformed, hex);
}
type Tap = Pick<typeof t, 'throws'>;

t.test('integers come back as they were written', async (t) => {
  for (const value of [0n, 1n, 127n, 128n, 255n, 256n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 159n]) {
    t.equal(
      readDer(derInteger(value), (reader) => reader.integer(21)),
      value,
    );
  }
  t.equal(
    readDer(fromHex('0201ff')!, (reader) => reader.integer(1)),
    -1n,
  );
  t.equal(
    readDer(fromHex('0202ff7f')!, (reader) => reader.integer(2)),
    -129n,
  );
});

t.test('integers that are padded, empty or too long are refused', async (t) => {
  refuses(t, ['0200', '02020001', '0202ff80', '0203000080', '020301000000'], (reader) =>
    reader.integer(2),
  );
});

t.test('object identifiers come back as they were written', async (t) => {
  for (const oid of [
    '0.0',
    '1.2.840.10045.3.1.7',
    '2.5.29.35',
    '2.999.1',
    '2.16.840.1.101.3.4.2.1',
    '1.39.5',
  ]) {
    t.equal(
      readDer(derOid(oid), (reader) => reader.oid()),
      oid,
    );
  }
  t.equal(toHex(derOid('2.999.3')), '0603883703');
});

t.test('object identifiers that are padded, cut or too large are refused', async (t) => {
  refuses(
    t,
    ['0600', '06028001', '060181', `0609${'ff'.repeat(8)}7f`, `0641${'01'.repeat(65)}`],
    (reader) => reader.oid(),
  );
});

t.test('lengths that are indefinite, padded or run past the end are refused', async (t) => {
  refuses(
    t,
    [
      '04',
      '0480',
      '048000',
      '04810100',
      '0482000100',
      '04850000000001',
      '0402aa',
      '04ff',
      '0481',
      '1f0100',
    ],
    (reader) => reader.element(),
  );
  const long = derOctetString(new Uint8Array(70_000));
  t.equal(readDer(long, (reader) => reader.octetString()).length, 70_000);
  t.equal(
    readDer(derOctetString(new Uint8Array(128)), (reader) => reader.octetString()).length,
    128,
  );
});

t.test('booleans, nulls and bit strings have one encoding', async (t) => {
  refuses(t, ['010101', '0100', '01020000'], (reader) => reader.boolean());
  refuses(t, ['050100'], (reader) => reader.null());
  refuses(t, ['0300', '030101', '03020180'], (reader) => reader.octetBitString());
});

t.test('another tag, and bytes left over, are refused', async (t) => {
  refuses(t, ['0400', '', '3000'], (reader) => reader.boolean());
  refuses(t, ['010100ff'], (reader) => reader.boolean());
});

t.test('nesting is bounded', async (t) => {
  const nested = (depth: number) => {
    let der = derSequence();
    for (let level = 1; level < depth; level += 1) der = derSequence(der);
    return der;
  };
  const descend = (reader: DerReader): number => {
    if (reader.atEnd) return 0;
    const inner = reader.sequence();
    const depth = 1 + descend(inner);
    inner.end();
    return depth;
  };
  t.equal(readDer(nested(limits.derDepthMax), descend), limits.derDepthMax);
  t.throws(() => readDer(nested(limits.derDepthMax + 1), descend), malformed);
});

t.test('times that are not there, or not in UTC to the second, are refused', async (t) => {
  const time = (tag: string, text: string) =>
    `${tag}${text.length.toString(16).padStart(2, '0')}${Buffer.from(text).toString('hex')}`;
  const utc = [
    '260230000000Z',
    '260132000000Z',
    '261301000000Z',
    '260101240000Z',
    '260101006000Z',
    '2601010000Z',
    '260101000000+0100',
    ' 60101000000Z',
  ];
  refuses(
    t,
    utc.map((text) => time('17', text)),
    readTime,
  );
  const generalized = ['20260229000000Z', '20260101000000', '20260101000000.5Z', '2026010100Z'];
  refuses(
    t,
    generalized.map((text) => time('18', text)),
    readTime,
  );
  const leapDay = readDer(fromHex(time('17', '240229235959Z'))!, readTime);
  t.equal(leapDay.toISOString(), '2024-02-29T23:59:59.000Z');
  t.equal(readDer(fromHex(time('17', '500101000000Z'))!, readTime).getUTCFullYear(), 1950);
  t.equal(readDer(fromHex(time('17', '490101000000Z'))!, readTime).getUTCFullYear(), 2049);
});

t.test('named bits drop their trailing zeros', async (t) => {
  t.equal(toHex(derNamedBits([])), '030100');
  t.equal(toHex(derNamedBits([0])), '03020780');
  t.equal(toHex(derNamedBits([5, 6])), '03020106');
  t.equal(toHex(derNamedBits([8])), '0303070080');
});
