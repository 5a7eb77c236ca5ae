import { Fault } from '#base';
import {
  ChaincodeAction,
  ChaincodeEvent,
  ChaincodeHeaderExtension,
  ProposalResponsePayload,
  parseRwSet,
  validationCodes,
} from '#formats';
import type { ParsedRwSet, ValidationCode } from '#formats';

/** The result of a contract call, as far as its form can be judged without the ledger. */
export interface ActionVerdict {
  readonly code: ValidationCode;
  /** The contract that was called; set when the code is VALID. */
  readonly contract?: string;
  /** Set whenever it could be read. */
  readonly rwset?: ParsedRwSet;
}

/**
 * Judges the form of a contract call and its result, in the order of a stock peer.
 *
 * @param extension the channel header's.
 * @param proposalResponsePayload bytes.
 * @see Fabric core/committer/txvalidator/v20/plugindispatcher/dispatcher.go, Dispatch.
 */
export function judgeAction(
  extension: Uint8Array,
  proposalResponsePayload: Uint8Array,
): ActionVerdict {
  const called = readOr(() => ChaincodeHeaderExtension.decode(extension));
  if (called === undefined) return { code: validationCodes.BAD_HEADER_EXTENSION };
  const action = readOr(() => readAction(proposalResponsePayload));
  if (action === undefined) return { code: validationCodes.BAD_RESPONSE_PAYLOAD };
  const rwset = readOr(() => parseRwSet(action.results));
  if (rwset === undefined) return { code: validationCodes.BAD_RWSET };
  const code = codeOf(called, action, rwset);
  return { code, contract: called.chaincodeId?.name, rwset };
}

function codeOf(
  called: ChaincodeHeaderExtension,
  action: ChaincodeAction,
  rwset: ParsedRwSet,
): ValidationCode {
  const { INVALID_OTHER_REASON, INVALID_CHAINCODE, ILLEGAL_WRITESET, VALID } = validationCodes;
  const contract = called.chaincodeId?.name;
  if (contract === undefined || action.chaincodeId === undefined) return INVALID_OTHER_REASON;
  const { name, version } = action.chaincodeId;
  if (contract === '' || name !== contract || version === '') return INVALID_CHAINCODE;
  if (!eventBelongsTo(contract, action.events)) return INVALID_OTHER_REASON;
  const namespaces = rwset.namespaces.map((set) => set.namespace);
  return new Set(namespaces).size < namespaces.length ? ILLEGAL_WRITESET : VALID;
}

function readAction(proposalResponsePayload: Uint8Array): ChaincodeAction | undefined {
  const { extension } = ProposalResponsePayload.decode(proposalResponsePayload);
  return extension.length === 0 ? undefined : ChaincodeAction.decode(extension);
}

function eventBelongsTo(contract: string, events: Uint8Array): boolean {
  if (events.length === 0) return true;
  return readOr(() => ChaincodeEvent.decode(events))?.chaincodeId === contract;
}

/** What the function reads, or undefined when the bytes are malformed. */
export function readOr<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && error.kind === 'malformed') return undefined;
    throw error;
  }
}
