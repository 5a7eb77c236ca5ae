/** Messages between the manager and an endorser. */
import { Endorsement } from './fabric-peer.ts';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bytes,
  nested,
  repeatedBytes,
  repeatedNested,
  repeatedText,
  text,
  uint32,
  uint64,
} from './protobuf-fields.ts';

/** Method numbers on the link to an endorser. */
export const endorserMethods = {
  status: 1,
  applyBlocks: 2,
  endorse: 3,
  /** Messages in zone-proposals.ts. */
  endorseProposals: 4,
} as const;

/** A registered client's certificate, pushed with the task that needs it. */
export const ClientCertificate = message('countersign.ClientCertificate', {
  keyId: text(1),
  /** X.509, DER. */
  certificate: bytes(2),
});
export type ClientCertificate = MessageOf<typeof ClientCertificate>;

/** One proposal to verify, simulate, vote on and endorse. */
export const EndorseTask = message('countersign.EndorseTask', {
  /** common.ChannelHeader bytes; type, channel, contract, time and transaction id are read from it. */
  channelHeader: bytes(1),
  /** common.SignatureHeader bytes; the creator is the relay identity. */
  signatureHeader: bytes(2),
  /** protos.ChaincodeProposalPayload bytes without transient map. */
  proposalPayload: bytes(3),
  /** Names of the nodes that shall endorse; empty: the endorser derives them from the policy. */
  targetNodes: repeatedText(4),
  clients: repeatedNested(5, () => ClientCertificate),
});
export type EndorseTask = MessageOf<typeof EndorseTask>;

export const EndorseTasks = message('countersign.EndorseTasks', {
  /** Ledger height the simulation must stand on. */
  height: uint64(1),
  tasks: repeatedNested(2, () => EndorseTask),
});
export type EndorseTasks = MessageOf<typeof EndorseTasks>;

/** One endorsement by one node. */
export const NodeEndorsement = message('countersign.NodeEndorsement', {
  node: text(1),
  endorsement: nested(2, () => Endorsement),
});
export type NodeEndorsement = MessageOf<typeof NodeEndorsement>;

/** A request of the bundle that must not be in it; the manager forms the bundle anew without it. */
export const RequestRefusal = message('countersign.RequestRefusal', {
  requestIndex: uint32(1),
  /** Fault code, kind and sentence. */
  code: text(2),
  kind: text(3),
  sentence: text(4),
});
export type RequestRefusal = MessageOf<typeof RequestRefusal>;

export const EndorseOutcome = message('countersign.EndorseOutcome', {
  /** protos.ProposalResponsePayload bytes; empty when the task was refused or failed. */
  proposalResponsePayload: bytes(1),
  endorsements: repeatedNested(2, () => NodeEndorsement),
  refusals: repeatedNested(3, () => RequestRefusal),
  /** Set when the whole task failed: fault code, sentence and kind. */
  faultCode: text(4),
  faultSentence: text(5),
  faultKind: text(6),
});
export type EndorseOutcome = MessageOf<typeof EndorseOutcome>;

/** One outcome per task, in the tasks' order. */
export const EndorseOutcomes = message('countersign.EndorseOutcomes', {
  outcomes: repeatedNested(1, () => EndorseOutcome),
});
export type EndorseOutcomes = MessageOf<typeof EndorseOutcomes>;

/** Whole blocks (common.Block bytes), ascending, the first at the endorser's height. */
export const BlockBatch = message('countersign.BlockBatch', { blocks: repeatedBytes(1) });
export type BlockBatch = MessageOf<typeof BlockBatch>;

/** What routing mode B chooses by. */
export const EndorserStatus = message('countersign.EndorserStatus', {
  height: uint64(1),
  tasksWaiting: uint32(2),
  /** Share of one core used by the process over the last second, in percent. */
  cpuPercent: uint32(3),
  /** Names of the nodes whose keys this endorser reaches. */
  nodes: repeatedText(4),
});
export type EndorserStatus = MessageOf<typeof EndorserStatus>;
