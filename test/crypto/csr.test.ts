import t from 'tap';
import { limits } from '#base';
import { buildCsr, parseCsr } from '#crypto';
import { derExplicit, derInteger, derSequence } from '../../crypto/der-writer.ts';
import { writeName } from '../../crypto/name.ts';
import { writeSigned } from '../../crypto/signed-object.ts';
import { ecKey } from './keys.ts';

const key = ecKey();
const subject = { commonName: 'node1', organizationalUnits: ['peer'], organization: 'Org1' };
const der = await buildCsr({ subject, publicKeySpki: key.spki }, key.sign);

t.test('a request says who asks, for which key', async (t) => {
  const request = parseCsr(der);
  t.equal(request.subject.rfc4514, 'CN=node1,OU=peer,O=Org1');
  t.equal(request.publicKey.fingerprint, key.publicKey.fingerprint);
});

t.test('a name that was read goes into a request byte for byte', async (t) => {
  const { subject: name } = parseCsr(der);
  const again = await buildCsr({ subject: name, publicKeySpki: key.spki }, key.sign);
  t.strictSame(parseCsr(again).subject.der, name.der);
});

t.test('a request for P-384 is made and read', async (t) => {
  const p384 = ecKey('P-384');
  const other = await buildCsr({ subject, publicKeySpki: p384.spki }, p384.sign);
  t.equal(parseCsr(other).publicKey.kind, 'P-384');
});

t.test('a request that its key did not sign is refused', async (t) => {
  await t.rejects(buildCsr({ subject, publicKeySpki: key.spki }, ecKey().sign), {
    code: 'CRYPTO_SIGNATURE_INVALID',
  });
  const renamed = Uint8Array.from(der);
  renamed[Buffer.from(der).indexOf('node1') + 4] = '2'.charCodeAt(0);
  t.throws(() => parseCsr(renamed), { code: 'CRYPTO_SIGNATURE_INVALID' });
});

t.test('attributes are read over up to their limit', async (t) => {
  const withAttributes = (count: number) => {
    const attributes = Array.from({ length: count }, () => derSequence());
    const info = derSequence(
      derInteger(0n),
      writeName(subject),
      key.spki,
      derExplicit(0, ...attributes),
    );
    return writeSigned(info, key.publicKey, key.sign);
  };
  t.ok(parseCsr(await withAttributes(16)));
  const tooMany = await withAttributes(17);
  t.throws(() => parseCsr(tooMany), { code: 'CRYPTO_CSR_MALFORMED' });
});

t.test('bytes that are no request are refused', async (t) => {
  for (const wrong of [
    new Uint8Array(0),
    der.subarray(1),
    new Uint8Array(limits.certificateBytes + 1),
  ]) {
    t.throws(() => parseCsr(wrong), { code: 'CRYPTO_CSR_MALFORMED' });
  }
});
