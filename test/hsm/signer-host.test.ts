import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LinkClient, concatBytes, textOf, utf8 } from '#base';
import { derToRaw, isLowS, sha256, verifyFabric } from '#crypto';
import { SerializedIdentity, blockSignatureInput, signerMethods } from '#formats';
import { childrenOf, mappedPkcs11 } from '../support/memory-map.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import type { TestToken } from '../support/softhsm.ts';
import {
  blockCall,
  configPayload,
  endorsementPayload,
  nextBlock,
  relayPayload,
} from './samples.ts';

const token = await temporaryToken(t, {
  keys: [
    { label: 'node', role: 'node' },
    { label: 'ordering', role: 'ordering' },
    { label: 'relay', role: 'relay' },
    { label: 'attestation', role: 'attestation' },
  ],
});
const host = await startSigner(t, token);
const { client } = host;
const keys = new Map((await client.describe()).map((key) => [key.label, key]));
const identityOf = (label: string) => keys.get(label)?.serializedIdentity as Uint8Array;
const publicKeyOf = (label: string) => {
  const known = token.certificateOf.get(label);
  if (known === undefined) throw new TypeError(label);
  return known.certificate.publicKey;
};

t.test('002-4 a host says which keys it holds, for whom and for what', async (t) => {
  t.strictSame([...keys.keys()], ['node', 'ordering', 'relay', 'attestation']);
  const node = keys.get('node');
  t.match(node, { role: 'node', mspid: 'Org1MSP' });
  const identity = SerializedIdentity.decodeCanonical(identityOf('node'));
  t.equal(identity.mspid, 'Org1MSP');
  t.strictSame(identity.idBytes, node?.certificate);
  const file = token.certificateOf.get('node')?.file as string;
  t.equal(textOf(identity.idBytes), readFileSync(file, 'utf8'));
});

t.test('002-10 an endorsement signs the response payload and the identity', async (t) => {
  const payloads = [endorsementPayload(), endorsementPayload({ contract: 'deeds' })];
  const items = payloads.map((proposalResponsePayload) => ({
    keyLabel: 'node',
    proposalResponsePayload,
  }));
  const signatures = await client.endorse(items);
  for (const [index, payload] of payloads.entries()) {
    const signed = concatBytes(payload, identityOf('node'));
    t.ok(verifyFabric(publicKeyOf('node'), signed, signatures[index] as Uint8Array));
  }
});

t.test('002-19 500 concurrent calls are all signed, all with low S', async (t) => {
  const contents = Array.from({ length: 500 }, (_unused, index) =>
    endorsementPayload({ contract: `contract${index}` }),
  );
  const signatures = await Promise.all(
    contents.map(async (proposalResponsePayload) => {
      const [one] = await client.endorse([{ keyLabel: 'node', proposalResponsePayload }]);
      return one as Uint8Array;
    }),
  );
  const bad = signatures.filter((signature, index) => {
    const signed = concatBytes(contents[index] as Uint8Array, identityOf('node'));
    const low = isLowS('P-256', derToRaw(signature, 32));
    return !low || !verifyFabric(publicKeyOf('node'), signed, signature);
  });
  t.strictSame(bad, []);
});

t.test('a batch is signed whole or not at all', async (t) => {
  const good = { keyLabel: 'node', proposalResponsePayload: endorsementPayload() };
  const bad = { ...good, proposalResponsePayload: endorsementPayload({ status: 500 }) };
  const refused = { code: 'HSM_RESPONSE_DENIED', detail: { index: 1 } };
  await t.rejects(client.endorse([good, bad, good]), refused);
  await t.rejects(client.endorse([]), { code: 'HSM_CALL_MALFORMED' });
  const many = Array.from({ length: 1_501 }, () => good);
  await t.rejects(client.endorse(many), { code: 'HSM_CALL_MALFORMED' });
});

t.test('every key signs what its role allows and nothing else', async (t) => {
  const endorsementOf = (keyLabel: string) =>
    client.endorse([{ keyLabel, proposalResponsePayload: endorsementPayload() }]);
  const envelopeOf = (keyLabel: string) => {
    const make = keyLabel === 'ordering' ? configPayload : relayPayload;
    return client.signEnvelopes([{ keyLabel, payload: make(identityOf(keyLabel)) }]);
  };
  const blockOf = (keyLabel: string) =>
    client.signBlock(blockCall(identityOf(keyLabel), 1n, { keyLabel }));
  const denied = { code: 'HSM_ROLE_DENIED', kind: 'denied' };
  for (const label of ['ordering', 'relay', 'attestation']) {
    await t.rejects(endorsementOf(label), denied, `${label} endorses`);
  }
  for (const label of ['node', 'attestation']) {
    await t.rejects(envelopeOf(label), denied, `${label} signs an envelope`);
  }
  for (const label of ['node', 'relay', 'attestation']) {
    await t.rejects(blockOf(label), denied, `${label} signs a block`);
  }
  await t.rejects(endorsementOf('nobody'), { code: 'HSM_KEY_UNKNOWN', kind: 'absent' });
  for (const label of ['relay', 'ordering']) {
    const make = label === 'ordering' ? configPayload : relayPayload;
    const [signature] = await envelopeOf(label);
    const payload = make(identityOf(label));
    t.ok(verifyFabric(publicKeyOf(label), payload, signature as Uint8Array), label);
  }
});

t.test('002-13 a block is signed over metadata, signature header and header', async (t) => {
  const call = blockCall(identityOf('ordering'), 1n);
  const signature = await client.signBlock(call);
  const content = blockSignatureInput(call.metadataValue, call.signatureHeader, call);
  t.ok(verifyFabric(publicKeyOf('ordering'), content, signature));
  const again = await client.signBlock(call);
  t.ok(verifyFabric(publicKeyOf('ordering'), content, again), 'the same block again');
  const rival = blockCall(identityOf('ordering'), 1n, { variant: 'b' });
  await t.rejects(client.signBlock(rival), { code: 'HSM_BLOCK_CONFLICT', kind: 'conflict' });
  const skipping = blockCall(identityOf('ordering'), 3n);
  await t.rejects(client.signBlock(skipping), { code: 'HSM_BLOCK_GAP' });
  await client.signBlock(nextBlock(call, identityOf('ordering')));
  await t.rejects(client.signBlock(call), { code: 'HSM_BLOCK_PAST' });
  const elsewhere = blockCall(identityOf('ordering'), 1n, { channel: 'other', variant: 'b' });
  await t.rejects(client.signBlock(elsewhere), { code: 'HSM_ROLE_DENIED' }, 'under another name');
});

t.test('a host in service makes no certificate requests', async (t) => {
  const request = { keyLabel: 'node', commonName: 'n', organization: '', organizationalUnits: [] };
  await t.rejects(client.signCsr(request), { code: 'HSM_MODE_DENIED' });
});

t.test('bytes that are no call of ours are faults', async (t) => {
  using link = new LinkClient(host.socket);
  const call = (method: number, payload: Uint8Array) => link.call(method, payload, 5_000);
  const digest = sha256(utf8('a digest from outside'));
  const { endorse, signEnvelope, signBlock, signCsr } = signerMethods;
  for (const method of [endorse, signEnvelope, signBlock, signCsr]) {
    await t.rejects(call(method, digest), { name: 'Fault' }, `a bare digest to method ${method}`);
    await t.rejects(call(method, new Uint8Array(0)), { name: 'Fault' });
  }
  await t.rejects(call(99, digest), { code: 'HSM_METHOD_UNKNOWN' });
  const huge = new Uint8Array(8 * 1024 * 1024).fill(0x0a);
  await t.rejects(call(signerMethods.endorse, huge), { name: 'Fault' });
  t.equal((await client.describe()).length, 4, 'and the host lives');
});

t.test('the PKCS#11 module is mapped in the token’s process, and nowhere else', async (t) => {
  const [tokenProcess = 0] = childrenOf(host.pid);
  const mapped = mappedPkcs11(tokenProcess);
  t.ok(
    mapped.some((file) => file.endsWith('libsofthsm2.so')),
    'the module',
  );
  t.ok(
    mapped.some((file) => file.endsWith('pkcs11.node')),
    'the binding',
  );
  t.strictSame(mappedPkcs11(host.pid), [], 'the host that checks contents');
  t.strictSame(mappedPkcs11(process.pid), [], 'its client');
});

t.test('the PIN is in no argument, environment, log or state file', async (t) => {
  const pin = readFileSync(token.pinFile, 'latin1');
  t.equal(pin.length, 32);
  const traced = await startTraced(token);
  t.teardown(() => traced.kill());
  await traced.client.endorse([
    { keyLabel: 'node', proposalResponsePayload: endorsementPayload() },
  ]);
  const places = {
    arguments: readFileSync(`/proc/${traced.pid}/cmdline`, 'latin1'),
    environment: readFileSync(`/proc/${traced.pid}/environ`, 'latin1'),
    log: traced.log.join('\n'),
    state: readFileSync(join(token.dir, 'traced', 'blocks.guard'), 'latin1'),
  };
  for (const [place, text] of Object.entries(places)) t.notOk(text.includes(pin), place);
  t.match(places.log, /serves/, 'the log was read');
});

function startTraced(of: TestToken) {
  const socket = join(of.dir, 'traced.sock');
  return startSigner(t, of, { socket, stateDir: join(of.dir, 'traced'), logLevel: 'trace' });
}

t.test('sessions on threads sign the same, under concurrency', async (t) => {
  const threaded = await startSigner(t, token, {
    socket: join(token.dir, 'threaded.sock'),
    stateDir: join(token.dir, 'threaded'),
    sessions: 4,
  });
  const contents = Array.from({ length: 300 }, (_unused, index) =>
    endorsementPayload({ contract: `contract${index}` }),
  );
  const batches = Array.from({ length: 30 }, (_unused, index) =>
    contents.slice(index * 10, index * 10 + 10),
  );
  const answers = await Promise.all(
    batches.map((batch) =>
      threaded.client.endorse(
        batch.map((proposalResponsePayload) => ({ keyLabel: 'node', proposalResponsePayload })),
      ),
    ),
  );
  const bad = answers.flat().filter((signature, index) => {
    const signed = concatBytes(contents[index] as Uint8Array, identityOf('node'));
    return !verifyFabric(publicKeyOf('node'), signed, signature);
  });
  t.strictSame(bad, []);
  t.equal(await threaded.stop(), 0, 'it ends in order');
});
