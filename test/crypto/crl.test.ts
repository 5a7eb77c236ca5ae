import t from 'tap';
import { limits } from '#base';
import { buildCrl, parseCrl, serialHexOf, verifyCrl } from '#crypto';
import type { CrlFields } from '#crypto';
import {
  derBoolean,
  derElement,
  derExplicit,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derTime,
} from '../../crypto/der-writer.ts';
import { ecdsaWithSha256Der, writeSigned } from '../../crypto/signed-object.ts';
import { makeCa, notAfter, notBefore } from './certificates.ts';

const ca = await makeCa('ca');
const at = new Date('2027-03-04T05:06:07Z');

function crlOf(changes: Partial<CrlFields> = {}) {
  const fields: CrlFields = {
    issuer: ca.certificate,
    crlNumber: 1n,
    thisUpdate: notBefore,
    nextUpdate: notAfter,
    revoked: [],
    ...changes,
  };
  return buildCrl(fields, ca.key.sign);
}

t.test('a list names what was revoked, and nothing else', async (t) => {
  const serials = [1n, 255n, 2n ** 159n - 1n];
  const crl = parseCrl(
    await crlOf({ crlNumber: 300n, revoked: serials.map((serial) => ({ serial, at })) }),
  );
  t.same([...crl.revoked], ['01', 'ff', `7f${'ff'.repeat(19)}`]);
  t.notOk(crl.revoked.has(serialHexOf(2n)));
  t.equal(crl.issuer.rfc4514, 'CN=ca');
  t.equal(crl.crlNumber, 300n);
  t.same([crl.thisUpdate, crl.nextUpdate], [notBefore, notAfter]);
  t.same(crl.authorityKeyId, ca.certificate.subjectKeyId);
  t.same(crl.criticalExtensionsUnknown, []);
  t.ok(verifyCrl(crl, ca.certificate));
});

t.test('a list that revokes nothing is read', async (t) => {
  const crl = parseCrl(await crlOf());
  t.equal(crl.revoked.size, 0);
  t.ok(verifyCrl(crl, ca.certificate));
});

t.test('only the issuer vouches for a list, and only for all of it', async (t) => {
  const der = await crlOf({ revoked: [{ serial: 7n, at }] });
  t.notOk(verifyCrl(parseCrl(der), (await makeCa('ca')).certificate), 'another key');
  t.notOk(verifyCrl(parseCrl(der), (await makeCa('other')).certificate), 'another name');
  const changed = Uint8Array.from(der);
  changed[Buffer.from(der).indexOf(derInteger(7n)) + 2] = 8;
  const crl = parseCrl(changed);
  t.ok(crl.revoked.has('08'));
  t.notOk(verifyCrl(crl, ca.certificate));
});

t.test('entries past the limit are refused', async (t) => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ serial: BigInt(index + 1), at }));
  const full = parseCrl(await crlOf({ revoked: entries(limits.crlEntriesMax) }));
  t.equal(full.revoked.size, limits.crlEntriesMax);
  await t.rejects(crlOf({ revoked: entries(limits.crlEntriesMax + 1) }), {
    code: 'CRYPTO_CRL_MALFORMED',
  });
  t.throws(() => parseCrl(new Uint8Array(limits.crlBytesMax + 1)), {
    code: 'CRYPTO_CRL_MALFORMED',
  });
});

t.test('critical extensions of the list and of an entry are named', async (t) => {
  const critical = (oid: string) => derSequence(derOid(oid), derBoolean(true), derOctetString());
  const reason = derSequence(
    derOid('2.5.29.21'),
    derOctetString(derElement(0x0a, Uint8Array.of(1))),
  );
  const entry = derSequence(
    derInteger(9n),
    derTime(at),
    derSequence(reason, critical('2.5.29.29')),
  );
  const tbs = derSequence(
    derInteger(1n),
    ecdsaWithSha256Der,
    ca.certificate.subject.der,
    derTime(notBefore),
    derSequence(entry),
    derExplicit(0, derSequence(critical('2.5.29.28'))),
  );
  const crl = parseCrl(await writeSigned(tbs, ca.key.publicKey, ca.key.sign));
  t.same(crl.criticalExtensionsUnknown, ['2.5.29.28', '2.5.29.29']);
  t.ok(crl.revoked.has('09'));
  t.equal(crl.nextUpdate, undefined);
});
