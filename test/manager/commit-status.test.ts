import { status } from '@grpc/grpc-js';
import t from 'tap';
import { limits, utf8 } from '#base';
import { SignedCommitStatusRequest, validationCodes } from '#formats';
import { makeCa } from '../crypto/certificates.ts';
import { makeChannel, makeMember, startMs } from './channel.ts';
import { signatureOf, statusRequest } from './grpc-client.ts';
import { soon, startReadingZone } from './reading-zone.ts';

const channel = await makeChannel();
const client = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const { VALID, MVCC_READ_CONFLICT } = validationCodes;
const plain = { contract: 'notary' };
/** The id that the next transaction of a test ledger will have is not known before it is made. */
const absentId = 'ab'.repeat(32);

t.test('the code and block of a committed transaction are told at once', async (t) => {
  const { commitEach, connect } = await startReadingZone(t, channel);
  const { number, txIds } = await commitEach([plain, { ...plain, code: MVCC_READ_CONFLICT }]);
  const connection = connect();
  t.same(await connection.commitStatus(statusRequest(client, txIds[0]!)), {
    result: VALID,
    blockNumber: number,
  });
  t.same(await connection.commitStatus(statusRequest(client, txIds[1]!)), {
    result: MVCC_READ_CONFLICT,
    blockNumber: number,
  });
});

t.test('a status that is asked for early is told when the transaction is committed', async (t) => {
  const zone = await startReadingZone(t, channel);
  const envelope = zone.prepare([plain]);
  const [txId = ''] = envelope.txIds;
  const connection = zone.connect();
  const answers = [1, 2, 3].map(() => connection.commitStatus(statusRequest(client, txId)));
  await soon(() => zone.server.open.calls === 3);
  await zone.commitEach([plain]);
  t.equal(zone.commits.size, 1, 'a block of other transactions ends no wait');
  const { number } = await envelope.commit();
  for (const answer of await Promise.all(answers)) {
    t.same(answer, { result: VALID, blockNumber: number });
  }
  t.equal(zone.commits.size, 0);
  await soon(() => zone.server.open.calls === 0);
});

const stranger = await makeMember(await makeCa('Org1 CA'), 'Org1MSP');
const unnamed = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', { unit: 'orderer' });
const foreign = { ...client, serialized: stranger.serialized };
const refused: Readonly<Record<string, [bytes: Uint8Array, code: status]>> = {
  'that is empty': [utf8(''), status.INVALID_ARGUMENT],
  'that is no message': [utf8('\xff\xff'), status.INVALID_ARGUMENT],
  'whose inside is no message': [
    SignedCommitStatusRequest.encode({ request: utf8('\xff\xff') }),
    status.INVALID_ARGUMENT,
  ],
  'for another channel': [
    statusRequest(client, absentId, { channelId: 'other' }),
    status.PERMISSION_DENIED,
  ],
  'with a bad signature': [
    statusRequest(client, absentId, { signature: utf8('signature') }),
    status.PERMISSION_DENIED,
  ],
  'with the signature of another request': [
    statusRequest(client, absentId, { signature: signatureOf(client, utf8('another')) }),
    status.PERMISSION_DENIED,
  ],
  'in the name of another': [statusRequest(foreign, absentId), status.PERMISSION_DENIED],
  'by an identity of a strange authority': [
    statusRequest(stranger, absentId),
    status.PERMISSION_DENIED,
  ],
  'by an identity that is no reader': [statusRequest(unnamed, absentId), status.PERMISSION_DENIED],
  'by bytes that are no identity': [
    statusRequest(client, absentId, { identity: utf8('me') }),
    status.PERMISSION_DENIED,
  ],
  'without an identity': [
    statusRequest(client, absentId, { identity: utf8('') }),
    status.INVALID_ARGUMENT,
  ],
  'for no channel': [statusRequest(client, absentId, { channelId: '' }), status.INVALID_ARGUMENT],
  'for no transaction': [statusRequest(client, ''), status.INVALID_ARGUMENT],
  'larger than any honest one': [
    new Uint8Array(limits.deliverRequestBytesMax + 1),
    status.RESOURCE_EXHAUSTED,
  ],
  'larger than any call': [
    new Uint8Array(limits.grpcRequestBytesMax + 1),
    status.RESOURCE_EXHAUSTED,
  ],
};

t.test('a request for a status is refused', async (t) => {
  const { connect, commits, server } = await startReadingZone(t, channel);
  const connection = connect();
  for (const [what, [bytes, code]] of Object.entries(refused)) {
    await t.rejects(connection.commitStatus(bytes), { code }, what);
  }
  t.equal(commits.size, 0);
  await soon(() => server.open.calls === 0);
});

t.test('an expired client is refused', async (t) => {
  const { clock, commitEach, connect } = await startReadingZone(t, channel);
  const { txIds } = await commitEach([plain]);
  const expiring = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', {
    notAfter: new Date(startMs + 5_000),
  });
  const request = statusRequest(expiring, txIds[0]!);
  const connection = connect();
  clock.advance(5_000);
  t.match(await connection.commitStatus(request), { result: VALID });
  clock.advance(1);
  await t.rejects(connection.commitStatus(request), { code: status.PERMISSION_DENIED });
});

t.test('a client that is struck off while it waits is told nothing', async (t) => {
  const other = await makeChannel();
  let config = channel.config;
  const zone = await startReadingZone(t, channel, { channelConfig: () => config });
  const envelope = zone.prepare([plain]);
  const answer = zone.connect().commitStatus(statusRequest(client, envelope.txIds[0]!));
  const refusal = t.rejects(answer, { code: status.PERMISSION_DENIED });
  await soon(() => zone.commits.size === 1);
  // The same organisations with other authorities: this client is one of theirs no more.
  config = other.config;
  await envelope.commit();
  await refusal;
});

t.test('a deadline ends the wait, and nothing of it is left', async (t) => {
  const { commits, connect, server } = await startReadingZone(t, channel);
  const connection = connect();
  const request = statusRequest(client, absentId);
  const late = connection.commitStatus(request, { deadline: new Date(Date.now() + 500) });
  await t.rejects(late, { code: status.DEADLINE_EXCEEDED });
  await soon(() => commits.size === 0 && server.open.calls === 0);
});

t.test('a deadline that has passed already is answered as such', async (t) => {
  const { commits, connect } = await startReadingZone(t, channel);
  const deadline = new Date(Date.now() - 1_000);
  const late = connect().commitStatus(statusRequest(client, absentId), { deadline });
  await t.rejects(late, { code: status.DEADLINE_EXCEEDED });
  t.equal(commits.size, 0);
});

t.test('a client that leaves ends its wait', async (t) => {
  const { commits, connect, server } = await startReadingZone(t, channel);
  const leaving = new AbortController();
  const request = statusRequest(client, absentId);
  const left = connect().commitStatus(request, { signal: leaving.signal });
  const refusal = t.rejects(left, { code: status.CANCELLED });
  await soon(() => commits.size === 1);
  leaving.abort();
  await refusal;
  await soon(() => commits.size === 0 && server.open.calls === 0);
});

t.test('thousands wait for as many transactions, and each is told its own', async (t) => {
  const zone = await startReadingZone(t, channel);
  const count = 3_000;
  const perBlock = 500;
  const blocks = Array.from({ length: 4 }, () =>
    zone.prepare(Array.from({ length: perBlock }, () => plain)),
  );
  const txIds = blocks.flatMap((block) => block.txIds);
  const connections = [zone.connect(), zone.connect()];
  const leaving = new AbortController();
  // Two thousand are committed; the others wait for what never comes, and leave.
  const waits = Array.from({ length: count }, (_, index) =>
    connections[index % 2]!.commitStatus(
      statusRequest(client, txIds[index] ?? `${index}`.padStart(64, '0')),
      { signal: leaving.signal },
    ).catch((error: { code: number }) => error.code),
  );
  await soon(() => zone.commits.size === count);
  for (const block of blocks) await block.commit();
  const committed = await Promise.all(waits.slice(0, txIds.length));
  const blockOf = (index: number) => 2n + BigInt(Math.floor(index / perBlock));
  const wrong = committed.filter(
    (answer, index) => typeof answer === 'number' || answer.blockNumber !== blockOf(index),
  );
  t.strictSame(wrong, []);
  await soon(() => zone.commits.size === count - txIds.length);
  leaving.abort();
  const left = await Promise.all(waits.slice(txIds.length));
  t.ok(left.every((code) => code === status.CANCELLED));
  await soon(() => zone.commits.size === 0 && zone.server.open.calls === 0);
});

t.test('a call too many is refused at once', async (t) => {
  const zone = await startReadingZone(t, channel, { bounds: { callsMax: 2 } });
  const connection = zone.connect();
  const leaving = new AbortController();
  const { signal } = leaving;
  const held = [1, 2].map(() =>
    connection.commitStatus(statusRequest(client, absentId), { signal }).catch(() => 'left'),
  );
  await soon(() => zone.server.open.calls === 2);
  const third = connection.commitStatus(statusRequest(client, absentId));
  await t.rejects(third, { code: status.UNAVAILABLE });
  leaving.abort();
  t.strictSame(await Promise.all(held), ['left', 'left']);
  await soon(() => zone.server.open.calls === 0);
});
