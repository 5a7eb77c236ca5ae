import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { LinkClient, concatBytes, systemClock, utf8 } from '#base';
import { parsePem, verifyFabric } from '#crypto';
import {
  Block,
  BlockBatch,
  ChaincodeAction,
  EndorseOutcomes,
  EndorseTasks,
  EndorserStatus,
  Metadata,
  ProposalResponsePayload,
  SerializedIdentity,
  buildProposal,
  bundleFunction,
  endorserMethods,
  proposalHash,
} from '#formats';
import type { EndorseOutcome, EndorseTask } from '#formats';
import { TestNetwork } from '../support/test-network.ts';

const network = await TestNetwork.start({ peerCount: 0, endorserCount: 1 });
t.teardown(() => network[Symbol.asyncDispose]());
await network.deploy('notary', {
  policy: "OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')",
});
const client = await network.client('alice');
const { layout } = network.network;
const link = new LinkClient(layout.socket('endorser-1'));
t.teardown(() => link.close());

const waitMsMax = 20_000;
const height = BigInt(
  ((await network.service.get('/v1/health')).body as { height: number }).height,
);

function identityOf(keyLabel: string, mspid: string): Uint8Array {
  const pem = readFileSync(layout.keyCertificate(keyLabel));
  return SerializedIdentity.encode({ mspid, idBytes: pem });
}

function taskOf(requests: string[], changes: Partial<EndorseTask> = {}): EndorseTask {
  const proposal = buildProposal({
    channel: network.channel,
    contract: 'notary',
    args: [utf8(bundleFunction), ...requests.map(utf8)],
    creator: identityOf('relay0.zone', 'ZoneMSP'),
    nonce: new Uint8Array(randomBytes(24)),
    timeMs: systemClock.nowMs(),
  });
  const certificate = parsePem(readFileSync(layout.identity('alice').certificateFile, 'utf8')).der;
  return { ...proposal, targetNodes: [], clients: [{ keyId: 'alice', certificate }], ...changes };
}

async function endorse(task: EndorseTask, at = height): Promise<EndorseOutcome> {
  const call = EndorseTasks.encode({ height: at, tasks: [task] });
  const answer = await link.call(endorserMethods.endorse, call, waitMsMax);
  return EndorseOutcomes.decode(answer).outcomes[0]!;
}

function deposit(id: number): string {
  return client.sign('notary', ['deposit', id.toString(16).padStart(64, '0'), 'n', 'text/plain']);
}

/** Names of the nodes whose signature over the payload verifies. */
function verified({ proposalResponsePayload, endorsements }: EndorseOutcome): string[] {
  return endorsements
    .filter(({ node, endorsement }) => {
      const { endorser, signature } = endorsement!;
      const key = parsePem(readFileSync(layout.keyCertificate(node), 'utf8')).publicKey;
      return verifyFabric(key, concatBytes(proposalResponsePayload, endorser), signature);
    })
    .map(({ node }) => node)
    .toSorted();
}

t.test(
  '002-9 002-10 002-11 the named nodes endorse the vote, and its bytes come along',
  async (t) => {
    const task = taskOf([deposit(1)], { targetNodes: ['node0.org1', 'node0.org3'] });
    const outcome = await endorse(task);
    t.same(verified(outcome), ['node0.org1', 'node0.org3']);
    const signed = ProposalResponsePayload.decodeCanonical(outcome.proposalResponsePayload);
    const { channelHeader, signatureHeader, proposalPayload } = task;
    t.same(signed.proposalHash, proposalHash(channelHeader, signatureHeader, proposalPayload));
    t.equal(ChaincodeAction.decode(signed.extension).response?.status, 200, 'the voting result');
  },
);

t.test('002-9 without names the endorser finds its matching nodes by the policy', async (t) => {
  const outcome = await endorse(taskOf([deposit(2)]));
  t.equal(verified(outcome).length, 2, 'as many as the policy asks for');
});

t.test('002-12 asked again, it makes the same bytes for the same task', async (t) => {
  const task = taskOf([deposit(3)], { targetNodes: ['node0.org1'] });
  const outcomes = [await endorse(task), await endorse(task)];
  t.same(outcomes[0]?.proposalResponsePayload, outcomes[1]?.proposalResponsePayload);
});

t.test('a request that must not be executed is named, and nothing is endorsed', async (t) => {
  const forged = `${deposit(5).slice(0, -4)}AAAA`;
  const outcome = await endorse(taskOf([deposit(4), forged]));
  t.equal(outcome.endorsements.length, 0);
  t.equal(outcome.proposalResponsePayload.length, 0);
  t.match(outcome.refusals, [{ requestIndex: 1, code: /SIGNATURE|REQUEST/ }]);
});

t.test('a node whose key it does not reach is refused by name', async (t) => {
  const outcome = await endorse(taskOf([deposit(6)], { targetNodes: ['node0.org9'] }));
  t.equal(outcome.faultCode, 'ENDORSER_NODE_UNKNOWN');
});

t.test('a task for a height it has not reached, or has passed, is not simulated', async (t) => {
  await t.rejects(endorse(taskOf([deposit(7)]), 1n), { code: 'ENDORSER_HEIGHT_BEHIND' });
});

t.test('a time far from its own clock is refused', async (t) => {
  const proposal = buildProposal({
    channel: network.channel,
    contract: 'notary',
    args: [utf8(bundleFunction), utf8(deposit(8))],
    creator: identityOf('relay0.zone', 'ZoneMSP'),
    nonce: new Uint8Array(24),
    timeMs: systemClock.nowMs() - 3_600_000,
  });
  const outcome = await endorse({ ...taskOf([]), ...proposal });
  t.equal(outcome.faultCode, 'ENDORSER_TASK_INVALID');
});

t.test('a block without the zone’s signature is not applied', async (t) => {
  const forged = Block.encode({
    header: { number: height, previousHash: new Uint8Array(32), dataHash: new Uint8Array(32) },
    data: { data: [utf8('x')] },
    metadata: { metadata: Array.from({ length: 5 }, () => Metadata.encode({})) },
  });
  const call = BlockBatch.encode({ blocks: [forged] });
  await t.rejects(link.call(endorserMethods.applyBlocks, call, waitMsMax), {
    code: 'ENDORSER_BLOCK_REFUSED',
  });
  const status = await link.call(endorserMethods.status, new Uint8Array(0), waitMsMax);
  t.equal(EndorserStatus.decode(status).height, height);
});

t.test('bytes that are no call are refused, and the endorser goes on', async (t) => {
  for (const [method, bytes, code] of [
    [endorserMethods.endorse, utf8('garbage'), 'FORMATS_PROTOBUF_INVALID'],
    [endorserMethods.applyBlocks, new Uint8Array([255, 255]), 'FORMATS_PROTOBUF_INVALID'],
    [99, new Uint8Array(0), 'ENDORSER_TASK_INVALID'],
  ] as const) {
    await t.rejects(link.call(method, bytes, waitMsMax), { code });
  }
  t.equal(verified(await endorse(taskOf([deposit(9)]))).length, 2);
});
