import { Envelope, Payload, headerTypes, validationCodes } from '#formats';
import type { Block, TransactionVerdict, ValidationCode } from '#formats';
import { judgeAction, readOr } from './chaincode-action.ts';
import type { ChannelConfig } from './channel-config.ts';
import { EndorsementCheck } from './endorsement-check.ts';
import type { KeysRestricted } from './endorsement-check.ts';
import { fault } from './faults.ts';
import {
  ledgerIdOf,
  readCommonHeader,
  readEndorsedAction,
  transactionIdOf,
} from './transaction-header.ts';
import type { CommonHeader } from './transaction-header.ts';
import type { TransactionLookups } from './transaction-lookups.ts';
import { validateConfigTransaction } from './validate-config.ts';

/**
 * Validates one transaction against the channel and the ledger, with the codes of a stock peer in
 * the order of its checks: form, creator's signature, id, proposal hash, duplicate in the ledger,
 * contract, endorsements. Duplicates inside a block and read versions are the ledger's business.
 *
 * @param envelopeBytes common.Envelope as it stands in the block.
 * @throws POLICY_CONFIG_UNFOUNDED, POLICY_PLUGIN_UNKNOWN, POLICY_KEY_POLICY_INVALID: a stock peer
 *   stops validating there too.
 * @see Fabric core/committer/txvalidator/v20/validator.go, validateTx.
 */
export function validateTransaction(
  config: ChannelConfig,
  envelopeBytes: Uint8Array,
  lookups: TransactionLookups,
): TransactionVerdict {
  return verdictOf(config, envelopeBytes, lookups, new Set());
}

/**
 * As `validateTransaction` for all transactions of a block, which may set policies for later ones.
 *
 * @throws POLICY_CONFIG_ACCOMPANIED and what `validateTransaction` throws.
 */
export function createValidator(): (
  block: Block,
  config: ChannelConfig,
  lookups: TransactionLookups,
) => TransactionVerdict[] {
  return (block, config, lookups) => {
    const restricted: KeysRestricted = new Set();
    const envelopes = block.data?.data ?? [];
    const verdicts = envelopes.map((bytes) => verdictOf(config, bytes, lookups, restricted));
    checkConfigAlone(verdicts);
    return verdicts;
  };
}

/** Peers look for a configuration only where it is alone, and validate the others beside it. */
function checkConfigAlone(verdicts: readonly TransactionVerdict[]): void {
  const isConfig = ({ code, type }: TransactionVerdict) =>
    type === headerTypes.config && code === validationCodes.VALID;
  if (verdicts.length > 1 && verdicts.some(isConfig)) throw fault('POLICY_CONFIG_ACCOMPANIED');
}

function verdictOf(
  config: ChannelConfig,
  envelopeBytes: Uint8Array,
  lookups: TransactionLookups,
  restricted: KeysRestricted,
): TransactionVerdict {
  const envelope = readOr(() => Envelope.decode(envelopeBytes));
  if (envelope === undefined) return broken(validationCodes.INVALID_OTHER_REASON);
  const payload = readOr(() => Payload.decode(envelope.payload));
  if (payload === undefined) return broken(validationCodes.BAD_PAYLOAD);
  const header = readOr(() => readCommonHeader(payload));
  const txId = readOr(() => ledgerIdOf(payload)) ?? '';
  if (header === undefined) return broken(validationCodes.BAD_COMMON_HEADER, txId);
  const { type } = header.channelHeader;
  const verdict = (code: ValidationCode): TransactionVerdict => ({ code, txId, type });
  if (!createdBy(config, header, envelope)) return verdict(validationCodes.BAD_CREATOR_SIGNATURE);
  switch (type) {
    case headerTypes.endorserTransaction:
      return endorserVerdict({ config, lookups, restricted, header, data: payload.data }, verdict);
    case headerTypes.config:
      if (payload.data.length === 0) return verdict(validationCodes.INVALID_CONFIG_TRANSACTION);
      validateConfigTransaction(config, payload.data);
      return verdict(validationCodes.VALID);
    default:
      return verdict(validationCodes.UNSUPPORTED_TX_PAYLOAD);
  }
}

interface EndorserTransaction {
  config: ChannelConfig;
  lookups: TransactionLookups;
  restricted: KeysRestricted;
  header: CommonHeader;
  /** protos.Transaction bytes. */
  data: Uint8Array;
}

function endorserVerdict(
  transaction: EndorserTransaction,
  verdict: (code: ValidationCode) => TransactionVerdict,
): TransactionVerdict {
  const { config, lookups, restricted, header, data } = transaction;
  const { channelHeader, signatureHeader, channelHeaderBytes } = header;
  const { txId, extension } = channelHeader;
  if (transactionIdOf(signatureHeader) !== txId) return verdict(validationCodes.BAD_PROPOSAL_TXID);
  const action = readOr(() => readEndorsedAction(data, channelHeaderBytes));
  if (action === undefined) return verdict(validationCodes.INVALID_ENDORSER_TRANSACTION);
  const { code, contract, rwset } = judgeAction(extension, action.proposalResponsePayload);
  const withRwset = (final: ValidationCode) =>
    rwset === undefined ? verdict(final) : { ...verdict(final), rwset };
  // Looked up late but said early: the read-write set is wanted with the code.
  if (lookups.hasTransaction(txId)) return withRwset(validationCodes.DUPLICATE_TXID);
  if (code !== validationCodes.VALID) return withRwset(code);
  if (contract === undefined || rwset === undefined) throw new TypeError('valid without content');
  const check = new EndorsementCheck(config, lookups, restricted, action);
  return withRwset(check.codeOf(contract, rwset));
}

function createdBy(config: ChannelConfig, header: CommonHeader, envelope: Envelope): boolean {
  // A peer looks the creator up in the channel the header names, and knows no other channel.
  if (header.channelHeader.channelId !== config.channelId) return false;
  const creator = config.findMember(header.signatureHeader.creator);
  return creator !== undefined && creator.verifies(envelope.payload, envelope.signature);
}

function broken(code: ValidationCode, txId = ''): TransactionVerdict {
  return { code, txId, type: headerTypes.message };
}
