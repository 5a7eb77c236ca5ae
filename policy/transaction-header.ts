import { equalBytes, toHex } from '#base';
import { sha256 } from '#crypto';
import {
  ChannelHeader,
  ChaincodeActionPayload,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  headerTypes,
} from '#formats';
import type { ChaincodeEndorsedAction, Payload } from '#formats';

/** The parts of a payload that every transaction has. */
export interface CommonHeader {
  readonly channelHeader: ChannelHeader;
  readonly signatureHeader: SignatureHeader;
  /** As they came: the proposal hash is over these bytes. */
  readonly channelHeaderBytes: Uint8Array;
}

const typesKnown: readonly number[] = [
  headerTypes.endorserTransaction,
  headerTypes.configUpdate,
  headerTypes.config,
];

/**
 * Reads the headers of a payload.
 *
 * @returns undefined where a stock peer says BAD_COMMON_HEADER: a header is missing, of unknown type
 *   or epoch, or without creator or nonce. Version and time are not looked at.
 * @throws FORMATS_PROTOBUF_INVALID
 * @see Fabric core/common/validation/msgvalidation.go, validateCommonHeader.
 */
export function readCommonHeader({ header }: Payload): CommonHeader | undefined {
  if (header === undefined) return undefined;
  const channelHeader = ChannelHeader.decode(header.channelHeader);
  const signatureHeader = SignatureHeader.decode(header.signatureHeader);
  if (!typesKnown.includes(channelHeader.type) || channelHeader.epoch !== 0n) return undefined;
  if (!isComplete(signatureHeader)) return undefined;
  return { channelHeader, signatureHeader, channelHeaderBytes: header.channelHeader };
}

/**
 * The id that the ledger knows a transaction by, valid or not: what its header says, or where that
 * says nothing, what it should say. Undefined when the headers cannot be read.
 *
 * @see Fabric protoutil/proputils.go, GetOrComputeTxIDFromEnvelope.
 */
export function ledgerIdOf({ header }: Payload): string | undefined {
  if (header === undefined) return undefined;
  const { txId } = ChannelHeader.decode(header.channelHeader);
  return txId === '' ? transactionIdOf(SignatureHeader.decode(header.signatureHeader)) : txId;
}

/** The id a transaction must have: hex of SHA-256(nonce ‖ creator). */
export function transactionIdOf({ nonce, creator }: SignatureHeader): string {
  return toHex(sha256(nonce, creator));
}

/**
 * Reads what binds an endorser transaction to its proposal.
 *
 * @returns undefined where a stock peer says INVALID_ENDORSER_TRANSACTION: not one action, no second
 *   signature header, or a proposal hash that is not that of the headers and the proposal's payload.
 * @throws FORMATS_PROTOBUF_INVALID
 * @see Fabric core/common/validation/msgvalidation.go, validateEndorserTransaction.
 */
export function readEndorsedAction(
  transaction: Uint8Array,
  channelHeaderBytes: Uint8Array,
): ChaincodeEndorsedAction | undefined {
  const [first, ...others] = Transaction.decode(transaction).actions;
  if (first === undefined || others.length > 0) return undefined;
  if (!isComplete(SignatureHeader.decode(first.header))) return undefined;
  const { action, chaincodeProposalPayload } = ChaincodeActionPayload.decode(first.payload);
  // A stock peer dereferences the absent action and dies: this must never get into a block.
  if (action === undefined || chaincodeProposalPayload.length === 0) return undefined;
  const { proposalHash } = ProposalResponsePayload.decode(action.proposalResponsePayload);
  const expected = sha256(channelHeaderBytes, first.header, chaincodeProposalPayload);
  return equalBytes(expected, proposalHash) ? action : undefined;
}

function isComplete({ creator, nonce }: SignatureHeader): boolean {
  return creator.length > 0 && nonce.length > 0;
}
