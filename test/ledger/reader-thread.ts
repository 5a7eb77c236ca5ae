/** Reads the state in a thread of its own: each message is a height, and what it takes to get there. */
import { parentPort, workerData } from 'node:worker_threads';
import { textOf } from '#base';
import { openStateReader } from '#ledger';
import type { StateChanges } from '#ledger';

const reader = openStateReader(workerData as string);

parentPort?.on('message', ({ height, changes }: { height: bigint; changes: StateChanges }) => {
  const before = reader.height;
  const pinned = reader.get('notary', 'k');
  reader.follow(changes);
  const rows = reader.range('notary', '', '', 10);
  parentPort?.postMessage({
    before,
    pinned: pinned && textOf(pinned.value),
    height: reader.height,
    atLeast: reader.height >= height,
    rows: rows.map(({ key, value, version }) => [key, textOf(value), version.blockNum]),
  });
});
