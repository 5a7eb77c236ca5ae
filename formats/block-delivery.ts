import { concatBytes, emptyBytes } from '#base';
import { BlockMetadata, metadataIndexes } from './fabric-common.ts';
import { message } from './protobuf.ts';
import { bytes, nested } from './protobuf-fields.ts';

/**
 * A stored block as an orderer would send it: what the committer filled in is blank again.
 * Header and data are the stored bytes, whatever their encoding.
 *
 * @param stored common.Block bytes.
 * @returns common.Block bytes; the argument itself when nothing had been filled in.
 * @throws FORMATS_PROTOBUF_INVALID
 */
export function ordererView(stored: Uint8Array): Uint8Array {
  const { header, data, metadata } = BlockParts.decode(stored);
  const entries = metadata?.metadata ?? [];
  if (committerEntries.every((index) => (entries[index]?.length ?? 0) === 0)) return stored;
  return concatBytes(...element(1, header), ...element(2, data), ...metadataElement(entries));
}

/**
 * A stored block's header and metadata alone, for those who follow signatures only.
 *
 * @returns common.Block bytes without data.
 * @throws FORMATS_PROTOBUF_INVALID
 */
export function headerView(stored: Uint8Array): Uint8Array {
  const { header, metadata } = BlockParts.decode(stored);
  return concatBytes(...element(1, header), ...metadataElement(metadata?.metadata ?? []));
}

/** orderer.DeliverResponse bytes around a block's bytes. */
export function encodeBlockResponse(block: Uint8Array): Uint8Array {
  return concatBytes(...element(2, block));
}

/** common.Block with its parts left as bytes: they are passed on, not read. */
const BlockParts = message('common.Block', {
  header: bytes(1),
  data: bytes(2),
  metadata: nested(3, () => BlockMetadata),
});

const committerEntries = [metadataIndexes.transactionsFilter, metadataIndexes.commitHash];

function metadataElement(entries: readonly Uint8Array[]): Uint8Array[] {
  const blanked = entries.map((entry, index) =>
    committerEntries.some((filled) => filled === index) ? emptyBytes : entry,
  );
  return element(3, BlockMetadata.encode({ metadata: blanked }));
}

/** Tag, length and value of one length-delimited field. */
function element(field: number, value: Uint8Array): Uint8Array[] {
  const head = [field * 8 + 2];
  let rest = value.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) head.push((rest % 0x80) | 0x80);
  head.push(rest);
  return [Uint8Array.from(head), value];
}
