/** Proposals as Fabric's clients make and sign them, and what a hostile one would change. */
import { randomBytes } from 'node:crypto';
import { utf8 } from '#base';
import {
  ChaincodeHeaderExtension,
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ChannelHeader,
  Header,
  Proposal,
  SignatureHeader,
  headerTypes,
  transactionId,
} from '#formats';
import type { SignedProposal } from '#formats';
import { channelId } from '../policy/test-channel.ts';
import type { TestOrg } from '../policy/test-channel.ts';
import { madeMs } from './test-transactions.ts';

export interface ProposalChanges {
  channelHeader?: Partial<ChannelHeader>;
  signatureHeader?: Partial<SignatureHeader>;
  contract?: string;
  /** In the invocation, where the header names another. */
  calledContract?: string;
  args?: readonly (string | Uint8Array)[];
  transient?: Readonly<Record<string, string>>;
  timeMs?: number;
  /** protos.ChaincodeHeaderExtension bytes. */
  extension?: Uint8Array;
  /** Changes the bytes that are signed. */
  bytes?: (proposal: Uint8Array) => Uint8Array;
  sign?: (proposal: Uint8Array) => Uint8Array;
}

export interface MadeProposal extends SignedProposal {
  txId: string;
}

/** One of Org's client, signed. */
export function proposalOf(
  org: Pick<TestOrg, 'client' | 'mspid'>,
  changes: ProposalChanges = {},
): MadeProposal {
  const signatureHeader = {
    creator: org.client.serialized(org.mspid),
    nonce: new Uint8Array(randomBytes(24)),
    ...changes.signatureHeader,
  };
  const { contract = 'notary', timeMs = madeMs } = changes;
  const txId = transactionId(signatureHeader.nonce, signatureHeader.creator);
  const channelHeader = {
    type: headerTypes.endorserTransaction,
    timestamp: { seconds: BigInt(Math.floor(timeMs / 1000)), nanos: (timeMs % 1000) * 1_000_000 },
    channelId,
    txId,
    extension:
      changes.extension ?? ChaincodeHeaderExtension.encode({ chaincodeId: chaincode(contract) }),
    ...changes.channelHeader,
  };
  const header = Header.encode({
    channelHeader: ChannelHeader.encode(channelHeader),
    signatureHeader: SignatureHeader.encode(signatureHeader),
  });
  const proposal = Proposal.encode({ header, payload: payloadOf(changes, contract) });
  const proposalBytes = changes.bytes?.(proposal) ?? proposal;
  const sign = changes.sign ?? ((bytes) => org.client.sign(bytes));
  return { proposalBytes, signature: sign(proposalBytes), txId: channelHeader.txId };
}

function payloadOf(changes: ProposalChanges, contract: string): Uint8Array {
  const { args = ['read', 'a'], calledContract = contract, transient = {} } = changes;
  const input = ChaincodeInvocationSpec.encode({
    chaincodeSpec: {
      type: 4,
      chaincodeId: chaincode(calledContract),
      input: {
        args: args.map((arg) => (typeof arg === 'string' ? utf8(arg) : arg)),
        decorations: [],
        isInit: false,
      },
      timeout: 0,
    },
  });
  return ChaincodeProposalPayload.encode({
    input,
    transientMap: Object.entries(transient).map(([key, value]) => ({ key, value: utf8(value) })),
  });
}

function chaincode(name: string) {
  return { path: '', name, version: '' };
}
