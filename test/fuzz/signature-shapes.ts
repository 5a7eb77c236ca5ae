import { utf8 } from '#base';
import { derInteger, derSequence, derToRaw } from '#crypto';
import { mirrored } from '../policy/test-validation.ts';
import type { Below } from '../interop/mutations.ts';

/** Ways to write an ECDSA signature over P-256, most of them wrong. */
export const signatureShapes: Readonly<
  Record<string, (der: Uint8Array, below: Below) => Uint8Array>
> = {
  'high s': (der) => (der.length < 80 && der[0] === 0x30 ? mirrored(der) : der),
  'bytes behind': (der) => Uint8Array.from([...der, 0x05, 0x00]),
  'bytes behind the numbers': (der) => {
    const { r, s } = numbersOf(der);
    return derSequence(derInteger(r), derInteger(s), derInteger(7n));
  },
  'r is zero': (der) => withNumbers(der, ({ s }) => ({ r: 0n, s })),
  's is zero': (der) => withNumbers(der, ({ r }) => ({ r, s: 0n })),
  's is the order': (der) => withNumbers(der, ({ r }) => ({ r, s: order })),
  'r and the order': (der) => withNumbers(der, ({ r, s }) => ({ r: r + order, s })),
  'turned round': (der) => withNumbers(der, ({ r, s }) => ({ r: s, s: r })),
  'one number': (der) => derSequence(derInteger(numbersOf(der).r)),
  'leading zero': (der) => {
    const { r, s } = numbersOf(der);
    return derSequence(padded(derInteger(r)), derInteger(s));
  },
  'negative r': (der) => {
    const { s } = numbersOf(der);
    return derSequence(Uint8Array.of(2, 1, 0xff), derInteger(s));
  },
  'length in long form': (der) => Uint8Array.from([der[0]!, 0x81, ...der.subarray(1)]),
  'length without end': (der) => Uint8Array.from([der[0]!, 0x80, ...der.subarray(2), 0, 0]),
  'a set': (der) => Uint8Array.from([0x31, ...der.subarray(1)]),
  'cut short': (der, below) => der.subarray(0, 1 + below(der.length - 1)),
  'one bit flipped': (der, below) => {
    const copy = Uint8Array.from(der);
    copy[below(copy.length)]! ^= 1 << below(8);
    return copy;
  },
  'raw numbers': (der) => rawOf(der) ?? der,
  'no signature': () => utf8('nobody signed this'),
};

const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

function rawOf(der: Uint8Array): Uint8Array | undefined {
  return der[0] === 0x30 ? derToRaw(der, der.length < 80 ? 32 : 48) : undefined;
}

function numbersOf(der: Uint8Array): { r: bigint; s: bigint } {
  const raw = rawOf(der) ?? new Uint8Array(64).fill(9);
  const half = raw.length / 2;
  const numberAt = (from: number) =>
    BigInt(`0x${Buffer.from(raw.subarray(from, from + half)).toString('hex')}`);
  return { r: numberAt(0), s: numberAt(half) };
}

function withNumbers(
  der: Uint8Array,
  change: (numbers: { r: bigint; s: bigint }) => { r: bigint; s: bigint },
): Uint8Array {
  const { r, s } = change(numbersOf(der));
  return derSequence(derInteger(r), derInteger(s));
}

/** With a zero byte that DER does not want. */
function padded(integer: Uint8Array): Uint8Array {
  return Uint8Array.from([integer[0]!, integer[1]! + 1, 0, ...integer.subarray(2)]);
}
