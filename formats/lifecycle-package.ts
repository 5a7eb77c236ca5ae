import { gunzipSync } from 'node:zlib';
import { limits, toHex } from '#base';
import { sha256 } from '#crypto';
import { fault } from './faults.ts';
import { isJsonObject, parseStrictJson } from './strict-json.ts';
import { readTar } from './tar-reader.ts';
import type { TarFile } from './tar-reader.ts';

/** A chaincode package as Fabric's tools make and name it, with a contract of this service in it. */
export interface ContractPackage {
  /** `label:` and the SHA-256 of the package's bytes in lower-case hex, as Fabric names it. */
  packageId: string;
  label: string;
  /** The WebAssembly module. */
  code: Uint8Array;
}

const metadataFile = 'metadata.json';
const codeFile = 'code.tar.gz';
const packageType = 'wasm';
/** @see Fabric core/chaincode/persistence/chaincode_package.go, LabelRegexp. */
const labelForm = /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/;
/** A header and padding for each file, two closing blocks, and tar's own blocking of 10 KiB. */
const tarOverheadBytes = 16 * 1024;

/**
 * Reads a package: a gzipped tar of `metadata.json` ({"type": "wasm", "label": …}) and `code.tar.gz`,
 * which holds one file, the contract's code. Whether that is a contract is for others to say.
 *
 * @throws FORMATS_PACKAGE_INVALID with the reason, in Fabric's words where Fabric has some.
 * @see Fabric core/chaincode/persistence/chaincode_package.go, ParseChaincodePackage.
 */
export function parseContractPackage(bytes: Uint8Array): ContractPackage {
  if (bytes.length > limits.contractPackageBytesMax) throw invalid('the package is too large');
  const outer = files(bytes, limits.contractPackageBytesMax, 2);
  const metadata = outer.find(({ name }) => name === metadataFile)?.content;
  const inner = outer.find(({ name }) => name === codeFile)?.content;
  if (inner === undefined) throw invalid('did not find a code package inside the package');
  if (metadata === undefined) {
    throw invalid(`did not find any package metadata (missing ${metadataFile})`);
  }
  const label = readLabel(metadata);
  const [code, ...others] = files(inner, limits.contractCodeBytesMax, 1);
  if (code === undefined || others.length > 0 || !code.name.endsWith('.wasm')) {
    throw invalid('the code package must hold one .wasm file');
  }
  return { packageId: packageIdOf(label, bytes), label, code: code.content };
}

/** The label of a package id, and whether these are the bytes it names. */
export function isPackageOf(packageId: string, bytes: Uint8Array): boolean {
  const colon = packageId.indexOf(':');
  return colon > 0 && packageId === packageIdOf(packageId.slice(0, colon), bytes);
}

function packageIdOf(label: string, bytes: Uint8Array): string {
  return `${label}:${toHex(sha256(bytes))}`;
}

function files(gzipped: Uint8Array, bytesMax: number, filesMax: number): TarFile[] {
  let archive: Uint8Array;
  try {
    archive = gunzipSync(gzipped, { maxOutputLength: bytesMax + tarOverheadBytes });
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw invalid(tooLarge ? 'unpacked it is too large' : 'error reading as gzip stream', cause);
  }
  return readTar(archive, { filesMax, bytesMax }, invalid);
}

function readLabel(bytes: Uint8Array): string {
  const unreadable = (cause?: unknown) =>
    invalid(`could not unmarshal ${metadataFile} as json`, cause);
  const metadata = parseStrictJson(bytes, (_problem, cause) => unreadable(cause));
  if (!isJsonObject(metadata)) throw unreadable();
  const { type, label, path = '', ...others } = metadata;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`${metadataFile} has an unknown member`);
  if (type !== packageType) throw invalid(`the package's type must be ${packageType}`);
  const fits = typeof label === 'string' && label.length <= limits.nameBytes;
  if (!fits || !labelForm.test(label) || typeof path !== 'string') {
    throw invalid(
      "invalid label. Label must be non-empty, can only consist of alphanumerics, symbols from '.+-_', " +
        'and can only begin with alphanumerics',
    );
  }
  return label;
}

function invalid(reason: string, cause?: unknown): Error {
  return fault('FORMATS_PACKAGE_INVALID', { reason }, cause);
}
