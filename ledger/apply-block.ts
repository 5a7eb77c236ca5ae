import { headerHash } from '#formats';
import type { Block } from '#formats';
import { putBlockEntry, putBlockNumber } from './block-index.ts';
import type { Place } from './block-files.ts';
import type { Evaluation } from './evaluate.ts';
import type { EvidenceKeeper } from './evidence-keeper.ts';
import type { EvidencePlan } from './evidence-log.ts';
import { putRequestEntry } from './request-index.ts';
import { putSavepoint } from './savepoint.ts';
import type { Savepoint } from './savepoint.ts';
import { encodeStateEntry, metadataSeenKey, stateKey } from './state.ts';
import type { Store } from './store.ts';
import { removed } from './recent-entries.ts';
import type { StateChange } from './state-changes.ts';
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
 * Puts all that a block does into the tables, the savepoint with it: the one way into them, for new
 * blocks and in recovery.
 *
 * @returns the new savepoint, and what the block did to the state.
 */
export function applyBlock(
  target: { store: Store; log: EvidenceKeeper; savepoint: Savepoint | undefined },
  recorded: RecordedBlock,
): { savepoint: Savepoint; changes: StateChange[] } {
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
  const changes = changesOf(evaluation.updates);
  for (const [key, value] of changes) store.state.put(key, value);
  for (const namespace of evaluation.updates.namespacesWithMetadata) {
    store.meta.put(metadataSeenKey(namespace), Buffer.of(1));
  }
  putIndexes(store, recorded);
  putBlockNumber(store, savepoint.headerHash, header.number);
  target.log.put(evidence);
  putSavepoint(store, savepoint);
  target.log.adopt(evidence);
  return { savepoint, changes };
}

function changesOf(updates: UpdateBatch): StateChange[] {
  const changes: StateChange[] = [];
  for (const namespace of updates.namespaces()) {
    for (const [key, { value, metadata, version }] of updates.entries(namespace)) {
      const at = stateKey(namespace, key);
      if (value === undefined) changes.push([at, removed]);
      else {
        const entry = metadata === undefined ? { value, version } : { value, version, metadata };
        changes.push([at, encodeStateEntry(entry)]);
      }
    }
  }
  return changes;
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
  for (const { requestId, entry } of requests) putRequestEntry(store, requestId, entry);
}
