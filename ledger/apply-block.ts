import { headerHash } from '#formats';
import type { Block } from '#formats';
import { putBlockEntry } from './block-index.ts';
import type { Place } from './block-files.ts';
import type { Evaluation } from './evaluate.ts';
import type { EvidenceLog, EvidencePlan } from './evidence-log.ts';
import { putRequestEntry } from './request-index.ts';
import { putSavepoint } from './savepoint.ts';
import type { Savepoint } from './savepoint.ts';
import { encodeStateEntry, metadataSeenKey, stateKey } from './state.ts';
import { writeStore } from './store.ts';
import type { Store } from './store.ts';
import { putTransactionPlace } from './transaction-index.ts';
import type { UpdateBatch } from './update-batch.ts';

/** A block that is on disk, and what it does. */
export interface RecordedBlock {
  block: Block;
  evaluation: Evaluation;
  evidence: EvidencePlan;
  place: Place;
  metadataPlace?: Place;
  /** Behind the block's last frame. */
  end: Place;
}

/**
 * Writes all that a block does to the tables, in one transaction with the savepoint: the one way
 * into them, for new blocks and in recovery.
 *
 * @returns the new savepoint.
 * @throws LEDGER_DISK_FULL, LEDGER_WRITE_FAILED; the tables are then as they were.
 */
export function applyBlock(
  target: { dir: string; store: Store; log: EvidenceLog; savepoint: Savepoint | undefined },
  recorded: RecordedBlock,
): Savepoint {
  const { store } = target;
  const { block, evaluation, evidence } = recorded;
  const header = block.header!;
  const savepoint: Savepoint = {
    height: header.number + 1n,
    configBlockNumber: evaluation.isConfig
      ? header.number
      : (target.savepoint?.configBlockNumber ?? 0n),
    evidenceSize: evidence.size,
    place: recorded.end,
    headerHash: headerHash(header),
    commitHash: evaluation.commitHash,
  };
  writeStore(target.dir, store, () => {
    putUpdates(store, evaluation.updates);
    putIndexes(store, recorded);
    target.log.put(evidence);
    putSavepoint(store, savepoint);
  });
  target.log.adopt(evidence);
  return savepoint;
}

/** Sorted, so that neighbours share LMDB's pages: half of the cost of random order. */
function putUpdates(store: Store, updates: UpdateBatch): void {
  for (const namespace of updates.namespaces()) {
    for (const [key, { value, metadata, version }] of updates.sorted(namespace)) {
      const at = stateKey(namespace, key);
      if (value === undefined) store.state.removeSync(at);
      else {
        const entry = metadata === undefined ? { value, version } : { value, version, metadata };
        if (metadata !== undefined) store.meta.putSync(metadataSeenKey, Buffer.of(1));
        store.state.putSync(at, encodeStateEntry(entry));
      }
    }
  }
}

function putIndexes(store: Store, { block, evaluation, evidence, ...places }: RecordedBlock): void {
  const blockNumber = block.header!.number;
  const { codes, commitHash, txIds, requests } = evaluation;
  const { place, metadataPlace } = places;
  putBlockEntry(store, blockNumber, {
    place,
    ...(metadataPlace === undefined ? {} : { metadataPlace }),
    evidenceSize: evidence.size,
    codes,
    commitHash,
  });
  for (const [index, txId] of txIds.entries()) {
    if (txId !== '') putTransactionPlace(store, txId, { blockNumber, index, code: codes[index]! });
  }
  const sorted = requests.toSorted((a, b) => Buffer.compare(a.requestId, b.requestId));
  for (const { requestId, entry } of sorted) putRequestEntry(store, requestId, entry);
}
