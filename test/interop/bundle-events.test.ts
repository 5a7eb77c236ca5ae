/** An application on Fabric's SDK that follows what other clients request of the zone. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { checkpointers } from '@hyperledger/fabric-gateway';
import { gateway as messages } from '@hyperledger/fabric-protos';
import t from 'tap';
import { textOf } from '#base';
import { identityNames } from '#cli';
import { SerializedIdentity } from '#formats';
import { firstItem } from '../support/first-item.ts';
import { TestNetwork } from '../support/test-network.ts';
import { sdkClient } from './sdk-client.ts';

const network = await TestNetwork.start();
t.teardown(() => network[Symbol.asyncDispose]());
const { layout, ports } = network.network;
const place = {
  endpoint: `localhost:${ports.deliver}`,
  tlsRootFile: layout.tls('manager').caFile,
  channel: network.channel,
  contract: 'notary',
};
const identity = layout.identity(identityNames.transport('org1'));
const client = sdkClient({ ...place, mspid: 'Org1MSP', ...identity });
t.teardown(() => client[Symbol.dispose]());
const reading = client.gateway.getNetwork(network.channel);

interface Answer {
  status: number;
  block: number;
  transaction: string;
}
const digestOf = (name: string) => createHash('sha256').update(name).digest('hex');
const names = Array.from({ length: 12 }, (_none, index) => `document ${index}`);
let answers: Answer[] = [];

t.test('requests are posted, several to a bundle', async (t) => {
  t.equal((await network.deploy('notary')).status, 200);
  const poster = await network.client('clerk');
  const requests = names.map((name) =>
    poster.sign('notary', ['deposit', digestOf(name), name, 'text/plain']),
  );
  answers = (await network.service.postMany(requests)) as Answer[];
  t.ok(answers.every((answer) => answer.status === 200));
  t.ok(new Set(answers.map(({ transaction }) => transaction)).size < names.length);
});

t.test('each request’s event comes once, however often the application starts', async (t) => {
  const file = join(t.testdir(), 'checkpoint.json');
  const seen: string[] = [];
  while (seen.length < names.length) {
    const checkpoint = await checkpointers.file(file);
    const options = { checkpoint, startBlock: 0n };
    const event = await firstItem(reading.getChaincodeEvents('notary', options));
    seen.push((JSON.parse(textOf(event.payload)) as { digest: string }).digest);
    const [transaction] = event.transactionId.split('/');
    const told = answers[names.findIndex((name) => digestOf(name) === seen.at(-1))];
    t.equal(transaction, told?.transaction);
    t.equal(event.blockNumber, BigInt(told?.block ?? 0));
    await checkpoint.checkpointChaincodeEvent(event);
  }
  t.strictSame(new Set(seen), new Set(names.map(digestOf)));
});

t.test('the status of a bundle is told to whoever reads the channel', async (t) => {
  const [answer] = answers;
  const request = new messages.CommitStatusRequest();
  request.setChannelId(network.channel);
  request.setTransactionId(answer!.transaction);
  const { credentials } = client.gateway.getIdentity();
  request.setIdentity(SerializedIdentity.encode({ mspid: 'Org1MSP', idBytes: credentials }));
  const signed = new messages.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  const commit = client.gateway.newCommit(signed.serializeBinary());
  t.match(await commit.getStatus(), { blockNumber: BigInt(answer!.block), successful: true });
});

t.test('each block comes, in each form', async (t) => {
  const startBlock = BigInt(answers[0]!.block);
  const block = await firstItem(reading.getBlockEvents({ startBlock }));
  t.equal(block.getHeader()?.getNumber(), Number(startBlock));
  const filtered = await firstItem(reading.getFilteredBlockEvents({ startBlock }));
  const told = filtered.getFilteredTransactionsList().map((one) => one.getTxid());
  t.ok(told.includes(answers[0]!.transaction));
  const withPrivateData = await firstItem(reading.getBlockAndPrivateDataEvents({ startBlock }));
  t.same(withPrivateData.getBlock()?.serializeBinary(), block.serializeBinary());
});

t.test('a mistake reaches the application with its code', async (t) => {
  const elsewhere = client.gateway.getNetwork('elsewhere');
  await t.rejects(firstItem(elsewhere.getChaincodeEvents('notary')), {
    code: status.PERMISSION_DENIED,
  });
  await t.rejects(firstItem(elsewhere.getBlockEvents()), { message: /404/ });
});
