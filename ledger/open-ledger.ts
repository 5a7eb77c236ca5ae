import { mkdirSync } from 'node:fs';
import { limits } from '#base';
import type { Log } from '#base';
import { EvidenceCount } from './evidence-keeper.ts';
import { EvidenceLog } from './evidence-log.ts';
import { fault } from './faults.ts';
import { Ledger } from './ledger.ts';
import { recoverBlockFiles } from './recovery.ts';
import { readSavepoint } from './savepoint.ts';
import { openStore } from './store.ts';
import type { Store } from './store.ts';
import { lockWriter } from './writer-lock.ts';
import type { LagBounds, Validate } from './writer-types.ts';

/**
 * Opens a channel's ledger for writing, and brings its tables up to its block files.
 *
 * @param options.dir made when it is not there; only its owner may read it.
 * @param options.validate the signature and policy stage of every block, also of replayed ones.
 * @param options.diskReserveBytes free disk below which no block is begun.
 * @param options.keepsProofs false for a copy that only follows: it knows the state and which
 *   requests were executed, and neither commit hash nor evidence log. Such a copy stays one.
 * @param options.lag how far the tables on disk may lag behind the block files.
 * @throws LEDGER_LOCKED; LEDGER_FILE_CORRUPT, LEDGER_STATE_AHEAD, LEDGER_STATE_MISMATCH,
 *   LEDGER_FORMAT_UNKNOWN, LEDGER_REPLAY_FAILED fatal.
 */
export async function openLedger(options: {
  dir: string;
  log: Log;
  validate: Validate;
  diskReserveBytes?: number;
  keepsProofs?: boolean;
  lag?: Partial<LagBounds>;
}): Promise<Ledger> {
  const { dir, log, validate } = options;
  const { diskReserveBytes = limits.ledgerDiskReserveBytes, keepsProofs = true } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  await using opened = new AsyncDisposableStack();
  const lock = opened.use(lockWriter(dir));
  const store = opened.adopt(openStore(dir), ({ root }) => root.close());
  const savepoint = readSavepoint(store);
  const recovered = recoverBlockFiles(dir, store, savepoint, log);
  const files = opened.use(recovered.files);
  checkKind(store, keepsProofs);
  const evidenceSize = savepoint?.evidenceSize ?? 0n;
  const evidenceLog = keepsProofs
    ? new EvidenceLog(store, evidenceSize)
    : new EvidenceCount(evidenceSize);
  const parts = { dir, lock, store, files, evidenceLog, keepsProofs, savepoint, validate, log };
  const ledger = new Ledger({ ...parts, diskReserveBytes, lag: { ...lagBounds, ...options.lag } });
  ledger.replay(recovered.found);
  // All is well: what was opened now belongs to the ledger.
  opened.move();
  return ledger;
}

/** What a copy did not keep cannot be asked for later. */
function checkKind({ meta }: Store, keepsProofs: boolean): void {
  if (!keepsProofs) meta.put(followsOnlyKey, Buffer.of(1));
  else if (meta.get(followsOnlyKey) !== undefined) {
    throw fault('LEDGER_FORMAT_UNKNOWN', { reason: 'a copy without proofs' });
  }
}

/** In the meta table. */
const followsOnlyKey = 'follows only';

const lagBounds: LagBounds = {
  entriesMax: limits.ledgerLagEntriesMax,
  bytesMax: limits.ledgerLagBytesMax,
  blocksMax: limits.ledgerLagBlocksMax,
};
