import { closeSync } from 'node:fs';
import { concatBytes } from '#base';
import { corrupt, countBlockFiles, openBlockFile } from './block-files.ts';
import { fileHeadBytes } from './block-file-head.ts';
import { scanFrames } from './frame-scan.ts';
import { frameKinds } from './frames.ts';
import type { Frame } from './frames.ts';

/**
 * Reads the blocks of a ledger's files and nothing else: of a copy, or of a ledger that is in use.
 * A block that is not sealed yet, or was being written, is left out.
 *
 * @param onBlock gets common.Block bytes, in order.
 * @throws LEDGER_FILE_CORRUPT
 */
export function readStoredBlocks(dir: string, onBlock: (block: Uint8Array) => void): void {
  let proposed: Uint8Array | undefined;
  const onFrame = ({ kind, payload }: Frame) => {
    if (kind === frameKinds.block) onBlock(payload);
    if (kind === frameKinds.sealed && proposed !== undefined) {
      onBlock(concatBytes(proposed, payload));
    }
    proposed = kind === frameKinds.proposed ? payload : undefined;
  };
  for (let file = 0; file < countBlockFiles(dir); file += 1) {
    const opened = openBlockFile(dir, file);
    try {
      const { state, end } = scanFrames(opened, fileHeadBytes, onFrame);
      if (state === 'damaged') throw corrupt(dir, { file, offset: end });
    } finally {
      closeSync(opened.fd);
    }
  }
}
