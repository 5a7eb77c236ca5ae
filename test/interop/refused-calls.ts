/** What Fabric's gateway refuses, and with which code, asked for by Fabric's Node SDK. */
import { gateway as messages } from '@hyperledger/fabric-protos';
import type { Commit, Contract, Gateway, Network, Signer } from '@hyperledger/fabric-gateway';
import { ChannelHeader, Header, Proposal } from '#formats';
import {
  garbage,
  inField,
  instead,
  leavingAfter,
  proposing,
  sending,
  submitting,
} from './tampered-calls.ts';

/** A network as one of its clients sees it. */
export interface Caller {
  gateway: Gateway;
  network: Network;
  contract: Contract;
  signer: Signer;
  serialized: Uint8Array;
}

/** The same network, seen by a client who may call and one whom no organisation knows. */
export interface Setting {
  client: Caller;
  stranger: Caller;
}

type RefusedCall = readonly [what: string, call: (setting: Setting) => Promise<unknown>];

const absentId = 'ab'.repeat(32);
const signedGarbage = new messages.SignedCommitStatusRequest();
signedGarbage.setRequest(Uint8Array.of(0xff, 0xff));
const soon = () => ({ deadline: Date.now() + 300 });
let keys = 0;

function newKey(): { arguments: string[] } {
  keys += 1;
  return { arguments: [`refused/${performance.timeOrigin}/${keys}`, 'value'] };
}

const create = ({ contract }: Caller) => contract.newProposal('create', newKey());
const prepared = (caller: Caller) => create(caller).endorse();

/** By the name of the code in grpc/status.h; NOT_FOUND is what a stream of blocks answers. */
export const refusedCalls: Readonly<Record<string, readonly RefusedCall[]>> = {
  INVALID_ARGUMENT: [
    ['Evaluate of nothing', ({ client }) => create(client).evaluate(instead(new Uint8Array(0)))],
    ['Endorse of nothing', ({ client }) => create(client).endorse(instead(new Uint8Array(0)))],
    ['Endorse of bytes', ({ client }) => create(client).endorse(proposing(client.signer, garbage))],
    [
      'Submit of nothing',
      async ({ client }) => (await prepared(client)).submit(instead(new Uint8Array(0))),
    ],
    [
      'Submit without signature',
      async ({ client }) => (await prepared(client)).submit(sending(unsign)),
    ],
    [
      'CommitStatus of nothing',
      ({ client }) => statusOfNothing(client).getStatus(instead(new Uint8Array(0))),
    ],
    [
      'CommitStatus of bytes',
      ({ client }) => statusOfNothing(client).getStatus(instead(signedGarbage.serializeBinary())),
    ],
    [
      'ChaincodeEvents of nothing',
      ({ client }) => firstEvent(client.network, instead(new Uint8Array(0))),
    ],
  ],
  PERMISSION_DENIED: [
    ['CommitStatus by a stranger', ({ stranger }) => statusOfNothing(stranger).getStatus()],
    [
      'CommitStatus of another channel',
      ({ client }) => statusOfNothing(client, 'other').getStatus(),
    ],
    ['ChaincodeEvents by a stranger', ({ stranger }) => firstEvent(stranger.network)],
    [
      'ChaincodeEvents of another channel',
      ({ client }) => firstEvent(client.gateway.getNetwork('other')),
    ],
  ],
  FAILED_PRECONDITION: [
    [
      'Evaluate by a stranger',
      ({ stranger }) => stranger.contract.evaluateTransaction('read', 'key'),
    ],
    [
      'Evaluate of the chain by a stranger',
      ({ stranger }) =>
        stranger.network.getContract('qscc').evaluateTransaction('GetChainInfo', 'main'),
    ],
    [
      'Evaluate under another transaction’s id',
      ({ client }) => create(client).evaluate(proposing(client.signer, otherId)),
    ],
    [
      'Endorse of an unknown contract',
      ({ client }) => client.network.getContract('none').newProposal('create').endorse(),
    ],
    [
      'Evaluate of an unknown contract',
      ({ client }) => client.network.getContract('none').evaluateTransaction('read', 'key'),
    ],
  ],
  UNAVAILABLE: [
    [
      'Endorse by an unknown organisation',
      ({ client }) =>
        client.contract
          .newProposal('create', { ...newKey(), endorsingOrganizations: ['NoneMSP'] })
          .endorse(),
    ],
  ],
  ABORTED: [
    [
      'Endorse that the contract refuses',
      ({ client }) => client.contract.newProposal('create', { arguments: ['one'] }).endorse(),
    ],
    ['Endorse by a stranger', ({ stranger }) => create(stranger).endorse()],
    [
      'Submit signed by another',
      async ({ client, stranger }) =>
        (await prepared(client)).submit(submitting(stranger.signer, (bytes) => bytes)),
    ],
    [
      'Submit of bytes',
      async ({ client }) => (await prepared(client)).submit(submitting(client.signer, garbage)),
    ],
  ],
  UNKNOWN: [
    [
      'Evaluate that the contract refuses',
      ({ client }) => client.contract.evaluateTransaction('read', 'no such key'),
    ],
    [
      'Evaluate of a block that is not there',
      ({ client }) =>
        client.network.getContract('qscc').evaluateTransaction('GetBlockByNumber', 'main', '9999'),
    ],
  ],
  NOT_FOUND: [
    ['Deliver of another channel', ({ client }) => firstBlock(client.gateway.getNetwork('other'))],
  ],
  DEADLINE_EXCEEDED: [
    ['CommitStatus of what never comes', ({ client }) => statusOfNothing(client).getStatus(soon())],
    [
      'Evaluate too late',
      ({ client }) => create(client).evaluate({ deadline: Date.now() - 1_000 }),
    ],
  ],
  CANCELLED: [
    [
      'CommitStatus that is left',
      ({ client }) => statusOfNothing(client).getStatus(leavingAfter(200)),
    ],
  ],
};

/** As Fabric's filter `TimeWindowCheck` does it, which core.yaml does not switch on. */
export const untimelyCalls: Readonly<Record<string, readonly RefusedCall[]>> = {
  FAILED_PRECONDITION: [
    [
      'Evaluate of an hour ago',
      ({ client }) => create(client).evaluate(proposing(client.signer, anHourAgo)),
    ],
  ],
  ABORTED: [
    [
      'Endorse of an hour ago',
      ({ client }) => create(client).endorse(proposing(client.signer, anHourAgo)),
    ],
  ],
};

/** What stock Fabric tells: at a deadline gRPC for Go may be first to look at the clock, and breaks off. */
export function toldAtDeadlines(told: Readonly<Record<string, string>>): Record<string, string> {
  const late = new Set(refusedCalls['DEADLINE_EXCEEDED']?.map(([what]) => what));
  const one = ([what, code]: [string, string]): [string, string] =>
    late.has(what) && code === 'CANCELLED' ? [what, 'DEADLINE_EXCEEDED'] : [what, code];
  return Object.fromEntries(Object.entries(told).map(one));
}

async function unsign(request: messages.SubmitRequest): Promise<messages.SubmitRequest> {
  request.getPreparedTransaction()?.setSignature('');
  return request;
}

/** Asks what became of a transaction that nobody made. */
export function statusOfNothing(
  { gateway, serialized }: Pick<Caller, 'gateway' | 'serialized'>,
  channel = 'main',
): Commit {
  const request = new messages.CommitStatusRequest();
  request.setTransactionId(absentId);
  request.setChannelId(channel);
  request.setIdentity(serialized);
  const signed = new messages.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  return gateway.newCommit(signed.serializeBinary());
}

async function firstEvent(network: Network, options = {}): Promise<unknown> {
  const request = network.newChaincodeEventsRequest('values', { startBlock: 0n });
  const events = await request.getEvents(options);
  try {
    for await (const event of events) return event;
    return undefined;
  } finally {
    events.close();
  }
}

async function firstBlock(network: Network): Promise<unknown> {
  const blocks = await network.getBlockEvents({ startBlock: 0n });
  try {
    for await (const block of blocks) return block;
    return undefined;
  } finally {
    blocks.close();
  }
}

function inChannelHeader(edit: (header: ChannelHeader) => ChannelHeader) {
  const change = (bytes: Uint8Array) => ChannelHeader.encode(edit(ChannelHeader.decode(bytes)));
  return inField(Proposal, 'header', inField(Header, 'channelHeader', change));
}

const anHourAgo = inChannelHeader((header) => {
  const { seconds = 0n } = header.timestamp ?? {};
  return { ...header, timestamp: { seconds: seconds - 3_600n, nanos: 0 } };
});

const otherId = inChannelHeader((header) => ({ ...header, txId: absentId }));
