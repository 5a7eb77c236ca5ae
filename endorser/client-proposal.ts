import { limits, textOf } from '#base';
import type { Clock, Fault } from '#base';
import {
  ChaincodeHeaderExtension,
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ChannelHeader,
  Header,
  Proposal,
  SignatureHeader,
  headerTypes,
  isBundleCall,
  lifecycleNamespace,
  transactionId,
} from '#formats';
import type { ProposalTask, Timestamp } from '#formats';
import type { ChannelConfig, Identity } from '#policy';
import { fault } from './faults.ts';

const writersPath = '/Channel/Application/Writers';

export interface ProposalContext {
  config: ChannelConfig;
  clock: Clock;
  hasTransaction: (txId: string) => boolean;
}

/** A client's proposal that may be executed. */
export interface VerifiedProposal {
  /** As the client signed it: the transaction repeats it byte for byte. */
  channelHeader: Uint8Array;
  signatureHeader: Uint8Array;
  /** protos.ChaincodeProposalPayload bytes without transient map. */
  proposalPayload: Uint8Array;
  txId: string;
  contract: string;
  identity: Identity;
  timeMs: bigint;
  args: readonly Uint8Array[];
  transient: ReadonlyMap<string, Uint8Array>;
}

/**
 * Judges a proposal as a stock endorser and its filters do, in their order: form, client, signature,
 * time, transaction id, right to write to the channel.
 *
 * @throws FORMATS_PROTOBUF_…, POLICY_…, ENDORSER_… saying why it must not be executed.
 * @see Fabric core/endorser/msgvalidation.go; core/endorser/endorser.go, preProcess;
 *   core/handlers/auth/filter.
 */
export function verifyProposal(task: ProposalTask, context: ProposalContext): VerifiedProposal {
  const { config, clock } = context;
  const parts = readParts(task.proposal);
  const { header, channelHeader, signatureHeader } = parts;
  checkHeaders(parts, config);
  const identity = config.identity(signatureHeader.creator);
  if (!config.verifySignature(identity, task.proposal, task.signature)) {
    throw fault('ENDORSER_SIGNATURE_BAD', { transaction: channelHeader.txId });
  }
  if (identity.certificate.notAfter.getTime() < clock.nowMs()) {
    throw fault('ENDORSER_CLIENT_EXPIRED', { client: identity.subjectId });
  }
  const timeMs = timeOf(channelHeader.timestamp, clock);
  const { txId } = channelHeader;
  if (context.hasTransaction(txId))
    throw fault('ENDORSER_TRANSACTION_KNOWN', { transaction: txId });
  const { creator } = signatureHeader;
  const signed = [{ identity: creator, data: task.proposal, signature: task.signature }];
  if (!config.evaluate(writersPath, signed)) {
    throw fault('ENDORSER_WRITER_DENIED', { client: identity.subjectId });
  }
  const { contract, payload, args } = parts;
  return {
    channelHeader: header.channelHeader,
    signatureHeader: header.signatureHeader,
    proposalPayload: ChaincodeProposalPayload.encode({ input: payload.input }),
    txId,
    contract,
    identity,
    timeMs,
    args,
    transient: transientOf(payload),
  };
}

/** @returns the function and its arguments. @throws ENDORSER_ARGUMENT_INVALID */
export function operationOf({ args, contract }: VerifiedProposal) {
  // The lifecycle's arguments are messages; it reads them itself.
  const texts = contract === lifecycleNamespace ? args.slice(0, 1) : args;
  const [name, ...rest] = texts.map((arg, index) => {
    try {
      return textOf(arg);
    } catch (cause) {
      throw fault('ENDORSER_ARGUMENT_INVALID', { index }, cause);
    }
  });
  return { function: name ?? '', args: rest };
}

interface Parts {
  header: Header;
  channelHeader: ChannelHeader;
  signatureHeader: SignatureHeader;
  contract: string;
  payload: ChaincodeProposalPayload;
  args: readonly Uint8Array[];
}

/** What a transaction repeats has to be canonical: peers of two versions could read it differently. */
function readParts(bytes: Uint8Array): Parts {
  const proposal = Proposal.decode(bytes);
  const header = Header.decode(proposal.header);
  const channelHeader = ChannelHeader.decodeCanonical(header.channelHeader);
  const signatureHeader = SignatureHeader.decodeCanonical(header.signatureHeader);
  const { chaincodeId } = ChaincodeHeaderExtension.decodeCanonical(channelHeader.extension);
  const payload = ChaincodeProposalPayload.decode(proposal.payload);
  const { chaincodeSpec } = ChaincodeInvocationSpec.decode(payload.input);
  if (chaincodeSpec?.input === undefined)
    throw fault('ENDORSER_PROPOSAL_INVALID', { what: 'input' });
  const contract = chaincodeId?.name ?? '';
  // Two names would let a client be shown one contract and its peers another.
  if (contract === '' || chaincodeSpec.chaincodeId?.name !== contract) {
    throw fault('ENDORSER_PROPOSAL_INVALID', { what: 'contract name' });
  }
  const { args } = chaincodeSpec.input;
  // What calls itself a bundle is read as one for ever after: requests, results and evidence.
  if (isBundleCall(args)) throw fault('ENDORSER_PROPOSAL_INVALID', { what: 'function' });
  return { header, channelHeader, signatureHeader, contract, payload, args };
}

function checkHeaders({ channelHeader, signatureHeader }: Parts, config: ChannelConfig): void {
  const { type, epoch, channelId, txId } = channelHeader;
  const { creator, nonce } = signatureHeader;
  const check = (holds: boolean, what: string) => {
    if (!holds) throw fault('ENDORSER_PROPOSAL_INVALID', { what });
  };
  check(channelId === config.channelId, 'channel');
  check(type === headerTypes.endorserTransaction, 'header type');
  check(epoch === 0n, 'epoch');
  check(nonce.length > 0, 'nonce');
  check(creator.length > 0, 'creator');
  check(txId === transactionId(nonce, creator), 'transaction id');
}

/** Milliseconds; what the contract sees as the time, so a client must not choose it freely. */
function timeOf(timestamp: Timestamp | undefined, clock: Clock): bigint {
  if (timestamp === undefined) throw fault('ENDORSER_PROPOSAL_INVALID', { what: 'timestamp' });
  const timeMs = timestamp.seconds * 1000n + BigInt(Math.floor(timestamp.nanos / 1_000_000));
  const awaySeconds = Math.abs(Number(timeMs) - clock.nowMs()) / 1000;
  if (awaySeconds > limits.clockSkewSecondsMax) {
    throw fault('ENDORSER_PROPOSAL_UNTIMELY', { awaySeconds });
  }
  return timeMs;
}

function transientOf({ transientMap }: ChaincodeProposalPayload): Map<string, Uint8Array> {
  return new Map(transientMap.map(({ key = '', value = new Uint8Array(0) }) => [key, value]));
}

/** A refusal with its facts: the one who reads it is the one who has to change something. */
export function sentenceOf(reason: Fault): string {
  const facts = Object.entries(reason.detail).map(([name, value]) => `${name}: ${String(value)}`);
  return facts.length === 0 ? reason.message : `${reason.message} (${facts.join(', ')})`;
}
