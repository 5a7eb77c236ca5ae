import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { StatusCode, checkpointers } from '@hyperledger/fabric-gateway';
import type { ChaincodeEvent } from '@hyperledger/fabric-gateway';
import { gateway as messages } from '@hyperledger/fabric-protos';
import t from 'tap';
import type { Test } from 'tap';
import { systemClock, textOf, utf8 } from '#base';
import { validationCodes } from '#formats';
import { firstItem } from '../support/first-item.ts';
import { channelId, makeChannel, makeMember } from './channel.ts';
import { soon, startReadingZone } from './reading-zone.ts';
import { sdkGateway } from './sdk-client.ts';
import { signedRequest } from './signed-request.ts';
import type { CodedSpec } from './test-ledger.ts';

const channel = await makeChannel();
const member = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const revoked = await makeMember(channel.authorities.Org2MSP, 'Org1MSP');

async function startZone(t: Test) {
  const zone = await startReadingZone(t, channel, { clock: systemClock });
  const gateway = sdkGateway(t, zone.port, member);
  return { ...zone, gateway, network: gateway.getNetwork(channelId) };
}

let kid = 0;
function bundle(...names: string[]): CodedSpec {
  kid += 1;
  return {
    requests: [signedRequest(member, { alg: 'ES256', kid: `clerk-${kid}` })],
    events: names.map((name) => ({ requestIndex: 0, name, payload: utf8(name) })),
  };
}

t.test('an application that stops after any event goes on with the next', async (t) => {
  const { commitEach, network } = await startZone(t);
  await commitEach([bundle('1', '2', '3'), bundle('4')]);
  await commitEach([{ contract: 'notary', event: { eventName: '5', payload: utf8('5') } }]);
  await commitEach([bundle('6', '7')]);
  const file = join(t.testdir(), 'checkpoint.json');
  const seen: string[] = [];
  while (seen.length < 7) {
    // A new process each time, which knows what its checkpoint file says.
    const checkpoint = await checkpointers.file(file);
    const options = { checkpoint, startBlock: 0n };
    const event = await firstItem<ChaincodeEvent>(network.getChaincodeEvents('notary', options));
    t.equal(textOf(event.payload), event.eventName);
    seen.push(event.eventName);
    await checkpoint.checkpointChaincodeEvent(event);
  }
  t.strictSame(seen, ['1', '2', '3', '4', '5', '6', '7']);
});

t.test('an application that has seen a whole transaction goes on after it', async (t) => {
  const { commitEach, network } = await startZone(t);
  const { number, txIds } = await commitEach([bundle('1', '2'), bundle('3')]);
  const checkpoint = checkpointers.inMemory();
  await checkpoint.checkpointTransaction(number, txIds[0]!);
  const event = await firstItem<ChaincodeEvent>(
    network.getChaincodeEvents('notary', { checkpoint }),
  );
  t.equal(event.eventName, '3');
});

t.test('an application gets blocks in each form, from a number and from now on', async (t) => {
  const { commitEach, network, server } = await startZone(t);
  const { txIds } = await commitEach([{ contract: 'notary' }]);
  const from = { startBlock: 2n };
  const block = await firstItem(network.getBlockEvents(from));
  t.equal(block.getHeader()?.getNumber(), 2);
  const filtered = await firstItem(network.getFilteredBlockEvents(from));
  t.equal(filtered.getFilteredTransactionsList()[0]?.getTxid(), txIds[0]);
  const withPrivateData = await firstItem(network.getBlockAndPrivateDataEvents(from));
  t.same(withPrivateData.getBlock()?.serializeBinary(), block.serializeBinary());
  t.equal(withPrivateData.getPrivateDataMapMap().getLength(), 0);
  await soon(() => server.open.streams === 0);
  const next = firstItem(network.getBlockEvents());
  await soon(() => server.open.streams === 1);
  await commitEach([{ contract: 'notary' }]);
  t.equal((await next).getHeader()?.getNumber(), 3);
});

t.test('an application that may not read gets no block', async (t) => {
  const { commitEach, port } = await startZone(t);
  await commitEach([{ contract: 'notary' }]);
  const network = sdkGateway(t, port, revoked).getNetwork(channelId);
  await t.rejects(firstItem(network.getBlockEvents({ startBlock: 0n })), {
    message: /status response: 403/,
  });
  await t.rejects(firstItem(network.getChaincodeEvents('notary', { startBlock: 0n })), {
    code: status.PERMISSION_DENIED,
  });
});

function commitRequest({
  transactionId = 'ab'.repeat(32),
  channelName = channelId,
  identity = member.serialized,
}): Uint8Array {
  const request = new messages.CommitStatusRequest();
  request.setTransactionId(transactionId);
  request.setChannelId(channelName);
  request.setIdentity(identity);
  const signed = new messages.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  return signed.serializeBinary();
}

t.test('an application learns what became of its transactions', async (t) => {
  const { commitEach, gateway } = await startZone(t);
  const code = validationCodes.MVCC_READ_CONFLICT;
  const { txIds } = await commitEach([{ contract: 'notary' }, { contract: 'notary', code }]);
  const outcomes = txIds.map((transactionId) =>
    gateway.newCommit(commitRequest({ transactionId })).getStatus(),
  );
  t.match(await Promise.all(outcomes), [
    { blockNumber: 2n, code: StatusCode.VALID, successful: true },
    { blockNumber: 2n, code: StatusCode.MVCC_READ_CONFLICT, successful: false },
  ]);
});

t.test('an application’s deadline and its mistakes reach it as status codes', async (t) => {
  const { commits, gateway } = await startZone(t);
  const deadline = Date.now() + 300;
  await t.rejects(gateway.newCommit(commitRequest({})).getStatus({ deadline }), {
    name: 'CommitStatusError',
    code: status.DEADLINE_EXCEEDED,
  });
  const otherChannel = gateway.newCommit(commitRequest({ channelName: 'other' }));
  await t.rejects(otherChannel.getStatus(), { code: status.PERMISSION_DENIED });
  const nobody = gateway.newCommit(commitRequest({ identity: utf8('') }));
  await t.rejects(nobody.getStatus(), { code: status.INVALID_ARGUMENT });
  await soon(() => commits.size === 0);
});
