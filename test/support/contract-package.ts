import { gzipSync } from 'node:zlib';
import { utf8 } from '#base';

/** One entry of a test's archive; what is given stands in the header as it is. */
export interface TarEntry {
  name: string;
  content: Uint8Array;
  type?: string;
  linkName?: string;
  /** In place of the content's. */
  size?: string;
}

/** A tar archive as GNU tar writes it. */
export function tarOf(...entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) => [headerOf(entry), padded(entry.content)]);
  return Buffer.concat([...parts, new Uint8Array(1024)]);
}

/** A chaincode package with one contract's code. */
export function contractPackage(
  code: Uint8Array,
  metadata: unknown = { type: 'wasm', label: 'contract_1' },
): Uint8Array {
  const inner = gzipSync(tarOf({ name: 'contract.wasm', content: code }));
  return packageOf(
    { name: 'metadata.json', content: utf8(JSON.stringify(metadata)) },
    { name: 'code.tar.gz', content: inner },
  );
}

export function packageOf(...entries: readonly TarEntry[]): Uint8Array {
  return gzipSync(tarOf(...entries));
}

function headerOf({ name, content, type = '0', linkName = '', size }: TarEntry): Uint8Array {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size ?? content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(linkName, 157);
  header.write('ustar  \0', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function padded(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(content.length / 512) * 512);
  bytes.set(content);
  return bytes;
}
