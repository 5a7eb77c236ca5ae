import { utf8 } from '#base';
import { derSequence, derToRaw, parseCertificate, pemBlock, rawToDer } from '#crypto';
import { SerializedIdentity } from '#formats';
import type { Below } from '../interop/mutations.ts';

/** Ways to write msp.SerializedIdentity, some of which stay the same identity. */
export const identityShapes: Readonly<
  Record<string, (bytes: Uint8Array, below: Below) => Uint8Array>
> = {
  'another provider': (bytes, below) =>
    edited(bytes, (mspid, pem) => [pickOf(['', 'Org2MSP', 'org1MSP', 'Org1MSP '], below), pem]),
  'no certificate': (bytes) => edited(bytes, (mspid) => [mspid, '']),
  'lines of Windows': inPem((pem) => pem.replaceAll('\n', '\r\n')),
  'text in front': inPem((pem) => `who this is\n${pem}`),
  'text in front on one line': inPem((pem) => `who this is ${pem}`),
  'text behind': inPem((pem) => `${pem}who this was`),
  'a header': inPem((pem) => pem.replace('\n', '\nWhose: mine\n\n')),
  'another label': inPem((pem) => pem.replaceAll('CERTIFICATE', 'X509 THING')),
  'labels that differ': inPem((pem) => pem.replace('END CERTIFICATE', 'END CERTIFICATION')),
  'without a line end': inPem((pem) => pem.trimEnd()),
  'blanks in the text': inPem((pem) => pem.replace(/\n(.{20})/g, '\n$1 \t')),
  'one long line': inPem((pem) => {
    const [begin, ...rest] = pem.trimEnd().split('\n');
    return `${begin}\n${rest.slice(0, -1).join('')}\n${rest.at(-1)}\n`;
  }),
  'two certificates': inPem((pem) => pem + pem),
  'a wrong letter': inPem((pem, below) => {
    const at = 40 + below(Math.max(pem.length - 80, 1));
    return `${pem.slice(0, at)}${pem[at] === 'A' ? 'B' : 'A'}${pem.slice(at + 1)}`;
  }),
  'no PEM': inDer((der) => der, 'bare'),
  'bytes behind the certificate': inDer((der) => Uint8Array.from([...der, 0])),
  'one bit of the certificate': inDer((der, below) => {
    const copy = Uint8Array.from(der);
    copy[below(copy.length)]! ^= 1 << below(8);
    return copy;
  }),
  'the other s': inDer(withOtherS),
};

function edited(
  bytes: Uint8Array,
  change: (mspid: string, pem: string) => [mspid: string, pem: string],
): Uint8Array {
  const { mspid, idBytes } = SerializedIdentity.decode(bytes);
  const [mspidAfter, pem] = change(mspid, Buffer.from(idBytes).toString('latin1'));
  return SerializedIdentity.encode({ mspid: mspidAfter, idBytes: utf8(pem) });
}

function inPem(change: (pem: string, below: Below) => string) {
  return (bytes: Uint8Array, below: Below) =>
    edited(bytes, (mspid, pem) => [mspid, change(pem, below)]);
}

function inDer(change: (der: Uint8Array, below: Below) => Uint8Array, form?: 'bare') {
  return (bytes: Uint8Array, below: Below) => {
    const { mspid, idBytes } = SerializedIdentity.decode(bytes);
    const body = Buffer.from(idBytes).toString('latin1').split('-----')[2] ?? '';
    const der = change(new Uint8Array(Buffer.from(body, 'base64')), below);
    const written = form === 'bare' ? der : utf8(pemBlock('CERTIFICATE', der));
    return SerializedIdentity.encode({ mspid, idBytes: written });
  };
}

/** Anyone can mirror the s of the authority's signature; Fabric takes it for the same certificate. */
function withOtherS(der: Uint8Array): Uint8Array {
  const { signature } = parseCertificate(der);
  const raw = derToRaw(signature, 32);
  const s = BigInt(`0x${Buffer.from(raw.subarray(32)).toString('hex')}`);
  const mirror = (order - s).toString(16).padStart(64, '0');
  const other = rawToDer(Uint8Array.from([...raw.subarray(0, 32), ...Buffer.from(mirror, 'hex')]));
  const start = der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f);
  const signed = der.subarray(start, der.length - 3 - signature.length);
  return derSequence(signed, Uint8Array.of(0x03, other.length + 1, 0), other);
}

const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const pickOf = <Item>(items: readonly Item[], below: Below): Item => items[below(items.length)]!;
