import t from 'tap';
import { limits } from '#base';
import { verifyChain, verifyIssued } from '#crypto';
import type { Certificate, CertificateFields } from '#crypto';
import { derOctetString } from '../../crypto/der-writer.ts';
import { during, makeCa, makeLeaf, notAfter, notBefore } from './certificates.ts';
import type { TestCa } from './certificates.ts';

const root = await makeCa('root');
const middle = await makeCa('middle', root);
const leaf = await makeLeaf(middle);

function chainOf(certificate: Certificate, ...cas: TestCa[]) {
  const intermediates = cas.map((ca) => ca.certificate);
  return verifyChain(certificate, { roots: [root.certificate], intermediates, at: during });
}

const names = (chain: readonly Certificate[]) => chain.map((one) => one.subject.commonName);

t.test('a leaf chains through an intermediate to the root', async (t) => {
  t.same(names(chainOf(leaf, middle)), ['peer0', 'middle', 'root']);
  t.same(names(chainOf(await makeLeaf(root))), ['peer0', 'root']);
  t.same(names(chainOf(root.certificate)), ['root']);
});

t.test('a leaf of a CA that is not there, or only looks alike, is not trusted', async (t) => {
  const untrusted = { code: 'CRYPTO_CHAIN_UNTRUSTED' };
  t.throws(() => chainOf(leaf), untrusted);
  const impostor = await makeCa('root');
  const impostorMiddle = await makeCa('middle', impostor);
  t.throws(() => chainOf(leaf, impostorMiddle), untrusted);
  t.throws(() => chainOf(impostor.certificate), untrusted);
  const forged = await makeLeaf(impostor);
  t.throws(() => chainOf(forged, impostor), untrusted);
  t.throws(() => verifyChain(leaf, { roots: [], at: during }), untrusted);
});

t.test('a look-alike beside the true CA does not hide it', async (t) => {
  const impostorRoot = await makeCa('root');
  const impostor = await makeCa('middle', impostorRoot);
  t.equal(chainOf(leaf, impostor, middle).length, 3);
});

t.test('an intermediate alone is no anchor', async (t) => {
  const options = { roots: [], intermediates: [middle.certificate, root.certificate], at: during };
  t.throws(() => verifyChain(leaf, options), { code: 'CRYPTO_CHAIN_UNTRUSTED' });
});

t.test('validity is checked at the time asked for, of every certificate', async (t) => {
  const options = { roots: [root.certificate], intermediates: [middle.certificate] };
  const at = (ms: number) => verifyChain(leaf, { ...options, at: new Date(ms) });
  t.equal(at(notBefore.getTime()).length, 3);
  t.equal(at(notAfter.getTime()).length, 3);
  t.throws(() => at(notBefore.getTime() - 1), { code: 'CRYPTO_CHAIN_EXPIRED' });
  t.throws(() => at(notAfter.getTime() + 1), { code: 'CRYPTO_CHAIN_EXPIRED' });
  const short = await makeCa('short', root, { notAfter: new Date('2027-01-01') });
  const below = await makeLeaf(short);
  t.throws(() => chainOf(below, short), { code: 'CRYPTO_CHAIN_EXPIRED' });
});

t.test('a certificate that may not issue does not', async (t) => {
  const invalid = { code: 'CRYPTO_CHAIN_INVALID' };
  const cases: [why: string, changes: Partial<CertificateFields>][] = [
    ['no CA', { ca: undefined }],
    ['no keyCertSign', { keyUsages: ['cRLSign'] }],
    ['critical extension', { extra: [{ oid: '1.2.3', critical: true, value: derOctetString() }] }],
  ];
  for (const [why, changes] of cases) {
    const ca = await makeCa(why, root, changes);
    const below = await makeLeaf(ca);
    t.throws(() => chainOf(below, ca), invalid, why);
  }
  const strange = await makeLeaf(root, {
    extra: [{ oid: '2.5.29.30', critical: true, value: derOctetString() }],
  });
  t.throws(() => chainOf(strange), invalid, 'a critical extension of the leaf');
});

t.test('the path length bounds the CAs below', async (t) => {
  const bounded = await makeCa('bounded', root, { ca: { pathLength: 0 } });
  t.equal(chainOf(await makeLeaf(bounded), bounded).length, 3);
  const below = await makeCa('below', bounded);
  const tooDeep = await makeLeaf(below);
  t.throws(() => chainOf(tooDeep, bounded, below), { code: 'CRYPTO_CHAIN_INVALID' });
  const one = await makeCa('one', root, { ca: { pathLength: 1 } });
  const two = await makeCa('two', one);
  t.equal(chainOf(await makeLeaf(two), one, two).length, 4);
});

t.test('a chain may be as long as the limit, not longer', async (t) => {
  const below: TestCa[] = [];
  let last = root;
  while (below.length < limits.certificateChainDepthMax - 2) {
    last = await makeCa(`ca${below.length}`, last);
    below.push(last);
  }
  const fitting = await makeLeaf(last);
  t.equal(chainOf(fitting, ...below).length, limits.certificateChainDepthMax);
  const oneMore = await makeCa('one more', last);
  const tooLong = await makeLeaf(oneMore);
  t.throws(() => chainOf(tooLong, ...below, oneMore), { code: 'CRYPTO_CHAIN_TOO_LONG' });
});

t.test('look-alike CAs cannot make the search long', async (t) => {
  // Each fits every other by name and key: 30 · 29 · 28 · … paths, were there no bound.
  const first = await makeCa('clone');
  const clones = [first];
  for (let serial = 2n; serial <= 30n; serial += 1n) {
    clones.push(await makeCa('clone', first, { serial, publicKeySpki: first.key.spki }));
  }
  const below = await makeLeaf(first);
  const started = process.cpuUsage();
  t.throws(() => chainOf(below, ...clones), { code: /^CRYPTO_CHAIN_/ });
  t.ok(process.cpuUsage(started).user < 2_000_000, 'less than two seconds');
});

t.test('key identifiers that differ end the match of two names', async (t) => {
  const twin = await makeCa('middle', root);
  t.notOk(verifyIssued(leaf, twin.certificate));
  t.ok(verifyIssued(leaf, middle.certificate));
  t.notOk(verifyIssued(leaf, root.certificate));
});
