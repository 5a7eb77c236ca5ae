import { Fault, emptyBytes } from '#base';
import { leafHash, sha256 } from '#crypto';
import {
  bundleOf,
  evidenceLeaves,
  headerTypes,
  isConfigBlock,
  parseTransaction,
  validationCodes,
} from '#formats';
import type {
  Block,
  Bundle,
  ParsedRwSet,
  ParsedTransaction,
  TransactionVerdict,
  ValidationCode,
} from '#formats';
import { commitHash } from './commit-hash.ts';
import type { CommittedState } from './committed-state.ts';
import { fault } from './faults.ts';
import { checkReads } from './mvcc.ts';
import type { RequestEntry } from './request-index.ts';
import { stateKey } from './state.ts';
import { storeKeyBytesMax } from './table.ts';
import { transactionIdOf } from './transaction-id.ts';
import { UpdateBatch } from './update-batch.ts';
import { applyWriteSet } from './write-set.ts';

/** A bundle and its requests' evidence leaves. */
export interface EvidencedBundle extends Bundle {
  leaves: Uint8Array[];
}

/** What stands below the block that is evaluated. */
export interface EvaluationBase {
  committed: CommittedState;
  hasTransaction(txId: string): boolean;
  /** Of the block before; empty at blocks 0 and 1. */
  commitHash: Uint8Array;
  evidenceSize: bigint;
  /** Whether anyone will ask for the commit hash and for leaves: else they are left empty. */
  keepsProofs: boolean;
}

/** All that a block does to the ledger, decided but not stored. */
export interface Evaluation {
  /** TRANSACTIONS_FILTER: final codes, one byte per transaction. */
  codes: Uint8Array;
  /** As the transaction index has them; empty: none. */
  txIds: string[];
  updates: UpdateBatch;
  /** Empty at block 0, and where no proofs are kept. */
  commitHash: Uint8Array;
  /** RFC 6962 leaf hashes, one per request, in block order; each empty where no proofs are kept. */
  leafHashes: Uint8Array[];
  requests: { requestId: Uint8Array; entry: RequestEntry }[];
  /** By transaction; undefined where there is none, and where no proofs are kept. */
  bundles: (EvidencedBundle | undefined)[];
  isConfig: boolean;
}

/**
 * Turns verdicts of the signature and policy stage into final codes and state updates: duplicates
 * and MVCC in block order, as Fabric does them.
 *
 * @throws LEDGER_BLOCK_UNCOMMITTABLE, LEDGER_COLLECTION_UNSUPPORTED, LEDGER_KEY_TOO_LONG,
 *   LEDGER_VERDICTS_INCOMPLETE
 */
export function evaluateBlock(
  block: Block,
  verdicts: readonly TransactionVerdict[],
  base: EvaluationBase,
): Evaluation {
  const number = block.header!.number;
  const envelopes = block.data!.data;
  if (verdicts.length !== envelopes.length) {
    throw fault('LEDGER_VERDICTS_INCOMPLETE', { number, verdicts: verdicts.length });
  }
  const parsed = envelopes.map(tryParse);
  const { codes, updates } = decide(number, verdicts, parsed, base);
  const isConfig = isConfigBlock(block) && codes[0] === validationCodes.VALID;
  return {
    codes,
    txIds: envelopes.map(transactionIdOf),
    updates,
    commitHash:
      number === 0n || !base.keepsProofs ? emptyBytes : commitHash(codes, updates, base.commitHash),
    ...evidenceOf(number, parsed, codes, base),
    isConfig,
  };
}

function decide(
  number: bigint,
  verdicts: readonly TransactionVerdict[],
  parsed: readonly (ParsedTransaction | undefined)[],
  base: EvaluationBase,
): { codes: Uint8Array; updates: UpdateBatch } {
  const updates = new UpdateBatch();
  const seen = new Set<string>();
  const staged = verdicts.map((verdict, index) => {
    const code = stagedCode(verdict, seen, base);
    return { code, rwset: code === undefined ? rwsetOf(verdict, parsed[index]) : undefined };
  });
  const codes = staged.map(({ code, rwset }, index) => {
    if (code !== undefined) return code;
    // Not an error here: Fabric marks what it cannot read at this stage and goes on.
    if (rwset === undefined) return validationCodes.INVALID_OTHER_REASON;
    refuseCollections(rwset, index);
    const read = checkReads(rwset, updates, base.committed);
    if (read !== validationCodes.VALID) return read;
    refuseLongKeys(rwset);
    applyWriteSet(rwset, { blockNum: number, txNum: BigInt(index) }, updates, base.committed);
    return validationCodes.VALID;
  });
  return { codes: Uint8Array.from(codes), updates };
}

/**
 * The code of a transaction that gets no further; undefined for one whose reads are to be checked.
 * Only transactions that are good so far claim their id within the block; the first keeps it.
 */
function stagedCode(
  { code, type, txId }: TransactionVerdict,
  seen: Set<string>,
  base: EvaluationBase,
): ValidationCode | undefined {
  if (code !== validationCodes.VALID && code !== validationCodes.NOT_VALIDATED) return code;
  if (type !== headerTypes.endorserTransaction || txId === '') return undefined;
  if (seen.has(txId) || base.hasTransaction(txId)) return validationCodes.DUPLICATE_TXID;
  seen.add(txId);
  return undefined;
}

/** Where Fabric keeps the channel's configuration in the state. @see core/peer/configtx_processor.go */
export const configKey = { namespace: '', key: 'CHANNEL_CONFIG_ENV_BYTES' } as const;

function rwsetOf(
  verdict: TransactionVerdict,
  parsed: ParsedTransaction | undefined,
): ParsedRwSet | undefined {
  if (verdict.type === headerTypes.endorserTransaction) return verdict.rwset;
  if (verdict.type !== headerTypes.config) return { namespaces: [] };
  if (parsed === undefined) return undefined;
  const write = { key: configKey.key, isDelete: false, value: parsed.data };
  const { namespace } = configKey;
  return {
    namespaces: [{ namespace, reads: [], rangeQueries: [], writes: [write], metadataWrites: [] }],
  };
}

function refuseCollections(rwset: ParsedRwSet, index: number): void {
  const found = rwset.namespaces.find(({ collections }) => (collections ?? []).length > 0);
  if (found !== undefined) {
    throw fault('LEDGER_COLLECTION_UNSUPPORTED', { index, namespace: found.namespace });
  }
}

function refuseLongKeys(rwset: ParsedRwSet): void {
  for (const { namespace, writes } of rwset.namespaces) {
    for (const { key } of writes) {
      const keyBytes = stateKey(namespace, key).length;
      if (keyBytes > storeKeyBytesMax) throw fault('LEDGER_KEY_TOO_LONG', { namespace, keyBytes });
    }
  }
}

/** A leaf for every request of every bundle, whatever became of its transaction. */
function evidenceOf(
  blockNumber: bigint,
  parsed: readonly (ParsedTransaction | undefined)[],
  codes: Uint8Array,
  { evidenceSize, keepsProofs }: Pick<EvaluationBase, 'evidenceSize' | 'keepsProofs'>,
): Pick<Evaluation, 'leafHashes' | 'requests' | 'bundles'> {
  const leafHashes: Uint8Array[] = [];
  const bundles: Evaluation['bundles'] = [];
  const requests: Evaluation['requests'] = [];
  for (const [txIndex, transaction] of parsed.entries()) {
    const bundle = transaction && bundleOf(transaction);
    if (transaction === undefined || bundle === undefined) continue;
    const code = codes[txIndex] as ValidationCode;
    for (const [requestIndex, jws] of bundle.requests.entries()) {
      const leafIndex = evidenceSize + BigInt(leafHashes.length + requestIndex);
      const entry = { blockNumber, txIndex, requestIndex, leafIndex, code };
      requests.push({ requestId: requestIdOf(jws), entry });
    }
    if (!keepsProofs) leafHashes.push(...bundle.requests.map(() => emptyBytes));
    else {
      const evidenced = withLeaves(transaction, bundle, blockNumber, code);
      leafHashes.push(...evidenced.leaves.map(leafHash));
      bundles[txIndex] = evidenced;
    }
  }
  return { leafHashes, requests, bundles };
}

export function withLeaves(
  { channelHeader }: ParsedTransaction,
  bundle: Bundle,
  blockNumber: bigint,
  code: ValidationCode,
): EvidencedBundle {
  const place = { blockNumber, txId: channelHeader.txId, code };
  return { ...bundle, leaves: evidenceLeaves(bundle, place) };
}

/** SHA-256 of the signing input: the JWS up to its last dot. */
function requestIdOf(jws: Uint8Array): Uint8Array {
  return sha256(jws.subarray(0, Math.max(jws.lastIndexOf(0x2e), 0)));
}

function tryParse(envelope: Uint8Array): ParsedTransaction | undefined {
  try {
    return parseTransaction(envelope);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
