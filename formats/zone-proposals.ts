/** Messages between the manager and an endorser about proposals that clients made and signed themselves. */
import { Response } from './fabric-peer.ts';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import {
  bool,
  bytes,
  nested,
  repeatedBytes,
  repeatedNested,
  repeatedText,
  text,
  uint64,
} from './protobuf-fields.ts';
import { NodeEndorsement } from './zone-endorser.ts';

/** One proposal to verify and simulate, and to endorse unless only its result is wanted. */
export const ProposalTask = message('countersign.ProposalTask', {
  /** protos.Proposal bytes as the client signed them, transient map included. */
  proposal: bytes(1),
  /** The client's signature over them. */
  signature: bytes(2),
  /** Names of the nodes that shall endorse; empty: the endorser derives them from the policy. */
  targetNodes: repeatedText(3),
  /** Nothing is endorsed: the answer is the contract's response alone. */
  evaluateOnly: bool(4),
  /** What the call refers to by its SHA-256: packages of contracts, for the lifecycle alone. */
  attachments: repeatedBytes(5),
});
export type ProposalTask = MessageOf<typeof ProposalTask>;

/** They are simulated independently of each other, all on one height. */
export const ProposalTasks = message('countersign.ProposalTasks', {
  /** Ledger height the simulations must at least stand on: a client reads what it saw committed. */
  heightMin: uint64(1),
  tasks: repeatedNested(2, () => ProposalTask),
});
export type ProposalTasks = MessageOf<typeof ProposalTasks>;

export const ProposalOutcome = message('countersign.ProposalOutcome', {
  /** What the contract answered; absent when the proposal was refused or could not be simulated. */
  response: nested(1, () => Response),
  /** protos.ProposalResponsePayload bytes; empty when nothing was endorsed. */
  proposalResponsePayload: bytes(2),
  endorsements: repeatedNested(3, () => NodeEndorsement),
  /** Set when there is no response: fault code, sentence and kind. */
  faultCode: text(4),
  faultSentence: text(5),
  faultKind: text(6),
  /** Set when the proposal was refused before anything was run: its client is at fault. */
  isRefused: bool(7),
});
export type ProposalOutcome = MessageOf<typeof ProposalOutcome>;

/** One outcome per task, in the tasks' order. */
export const ProposalOutcomes = message('countersign.ProposalOutcomes', {
  outcomes: repeatedNested(1, () => ProposalOutcome),
});
export type ProposalOutcomes = MessageOf<typeof ProposalOutcomes>;
