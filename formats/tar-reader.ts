/** One file of an archive. */
export interface TarFile {
  name: string;
  content: Uint8Array;
}

export interface TarBounds {
  filesMax: number;
  /** Of one file. */
  bytesMax: number;
}

const blockBytes = 512;
/** Name, mode, owner and group, then size; POSIX.1-1988 (ustar) and GNU tar agree so far. */
const nameField = [0, 100] as const;
const sizeField = [124, 136] as const;
const checksumField = [148, 156] as const;
const typeOffset = 156;
const magicOffset = 257;
const prefixField = [345, 500] as const;
/** A regular file; the zero byte is how it was written before 1988. */
const regularTypes = new Set(['0', '\0']);

/**
 * Reads an archive of plain files and nothing else. Libraries follow links, extensions and repeated
 * names to some file system; here two readers of one archive must see the same bytes, so all of
 * those are refused.
 *
 * @param refuse makes the caller's own fault of a reason.
 * @returns the files in their order, as views of the input.
 * @see POSIX.1-1988, ustar interchange format.
 */
export function readTar(
  archive: Uint8Array,
  bounds: TarBounds,
  refuse: (reason: string) => Error,
): TarFile[] {
  const files = new Map<string, TarFile>();
  let offset = 0;
  for (;;) {
    const header = archive.subarray(offset, offset + blockBytes);
    if (header.length < blockBytes) throw refuse('the archive is cut off');
    if (header.every((byte) => byte === 0)) break;
    const { name, size } = readHeader(header, refuse);
    if (files.has(name)) throw refuse(`${name} is in it twice`);
    if (files.size === bounds.filesMax) throw refuse('too many files');
    if (size > bounds.bytesMax) throw refuse(`${name} is too large`);
    const start = offset + blockBytes;
    if (start + size > archive.length) throw refuse(`${name} is cut off`);
    files.set(name, { name, content: archive.subarray(start, start + size) });
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  // Only padding may follow: what came after would be there for other readers alone.
  if (archive.subarray(offset).some((byte) => byte !== 0)) throw refuse('something after its end');
  return [...files.values()];
}

function readHeader(
  header: Uint8Array,
  refuse: (reason: string) => Error,
): { name: string; size: number } {
  if (octal(header, checksumField) !== checksumOf(header)) throw refuse('a checksum is wrong');
  if (textIn(header, [magicOffset, magicOffset + 5]) !== 'ustar') throw refuse('not a tar archive');
  const name = textIn(header, nameField);
  const type = String.fromCodePoint(header[typeOffset] as number);
  if (!regularTypes.has(type))
    throw refuse(`tar entry ${name} is not a regular file, type ${type}`);
  // GNU tar keeps times where the newer format keeps the front of a long name.
  const isPosix = header[magicOffset + 5] === 0;
  if (isPosix && textIn(header, prefixField) !== '') throw refuse('a name is too long');
  const relative = name.startsWith('./') ? name.slice(2) : name;
  if (!isPlainName(relative)) throw refuse('a name is not a plain relative path');
  const size = octal(header, sizeField);
  if (size === undefined) throw refuse(`the size of ${name} is no number`);
  return { name: relative, size };
}

/** Relative, and the same on every system. */
function isPlainName(name: string): boolean {
  const parts = name.split('/');
  return parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && part !== '.' && part !== '..');
}

/** Up to the first zero byte; bytes beyond ASCII become characters that no name may have. */
function textIn(header: Uint8Array, [start, end]: readonly [number, number]): string {
  const bytes = header.subarray(start, end);
  const zero = bytes.indexOf(0);
  return String.fromCodePoint(...(zero === -1 ? bytes : bytes.subarray(0, zero)));
}

function octal(header: Uint8Array, field: readonly [number, number]): number | undefined {
  const digits = textIn(header, field).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** The sum of the header's bytes, with its own field read as blanks. */
function checksumOf(header: Uint8Array): number {
  const [start, end] = checksumField;
  return header.reduce(
    (sum, byte, offset) => sum + (offset >= start && offset < end ? 0x20 : byte),
    0,
  );
}
