import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fromHex } from '#base';
import { certificatePem } from '#crypto';
import { SignerRefused, startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { makeCa, makeLeaf } from '../crypto/certificates.ts';
import { endorsementPayload } from './samples.ts';

const labels = ['good', 'expired', 'early'] as const;
const token = await temporaryToken(t, { keys: labels.map((label) => ({ label, role: 'node' })) });
const dates = { notBefore: new Date('2020-01-01'), notAfter: new Date('2049-01-01') };
const ca = await makeCa('ca', undefined, dates);
const validity = {
  good: dates,
  expired: { ...dates, notAfter: new Date('2021-01-01') },
  early: { ...dates, notBefore: new Date('2048-01-01') },
};
const caFile = file('ca.pem', certificatePem(ca.certificate.der));
const keys = await Promise.all(
  labels.map(async (label) => {
    const publicKey = token.keys.find((one) => one.label === label)?.publicKey ?? '';
    const publicKeySpki = fromHex(publicKey) ?? new Uint8Array(0);
    const leaf = await makeLeaf(ca, { ...validity[label], publicKeySpki });
    const certificateFile = file(`${label}.certificate.pem`, certificatePem(leaf.der));
    return { label, role: 'node' as const, mspid: 'Org1MSP', certificateFile, caFile };
  }),
);

function file(name: string, text: string): string {
  writeFileSync(join(token.dir, name), text);
  return join(token.dir, name);
}

t.test('a key whose certificate is not valid now signs nothing, and the others do', async (t) => {
  const host = await startSigner(t, token, { keys });
  const described = new Map((await host.client.describe()).map((key) => [key.label, key]));
  const faults = { good: '', expired: 'HSM_CERTIFICATE_EXPIRED', early: 'HSM_CERTIFICATE_EARLY' };
  for (const [label, code] of Object.entries(faults)) {
    t.equal(described.get(label)?.faultCode, code);
    const items = [{ keyLabel: label, proposalResponsePayload: endorsementPayload() }];
    if (code === '') t.equal((await host.client.endorse(items)).length, 1);
    else await t.rejects(host.client.endorse(items), { code });
  }
  const report = new Map((await host.client.report()).keys.map((key) => [key.label, key]));
  const endOf = (label: string) => Number(report.get(label)?.certificateEnd) * 1_000;
  t.equal(endOf('good'), dates.notAfter.getTime());
  t.equal(endOf('expired'), validity.expired.notAfter.getTime());
  await host.stop();
});

t.test('a key whose certificate is by another authority is not served', async (t) => {
  const rival = await makeCa('ca', undefined, dates);
  const other = file('other.pem', certificatePem(rival.certificate.der));
  const [good] = keys;
  const starting = startSigner(t, token, {
    socket: join(token.dir, 'other.sock'),
    stateDir: join(token.dir, 'other'),
    keys: [{ ...good!, caFile: other }],
  });
  const refused: unknown = await starting.catch((error: unknown) => error);
  t.ok(refused instanceof SignerRefused);
  t.match(refused, { code: 'HSM_CERTIFICATE_FOREIGN', exitCode: 2 });
});
