import { fromBase64, limits, utf8 } from '#base';
import { fault } from './faults.ts';
import { receiptFormat } from './receipt.ts';
import type { Receipt } from './receipt.ts';
import { isJsonObject, parseStrictJson } from './strict-json.ts';
import type { JsonObject } from './strict-json.ts';

/**
 * Reads a receipt file as strictly as a request: every member is there, once, and no other.
 * Nothing of it is believed yet; see `checkReceipt`.
 *
 * @throws FORMATS_RECEIPT_TOO_LARGE, FORMATS_RECEIPT_JSON_INVALID, FORMATS_RECEIPT_FORMAT_UNKNOWN,
 *   FORMATS_RECEIPT_MEMBER_INVALID naming the member.
 */
export function parseReceipt(file: Uint8Array | string): Receipt {
  if (file.length > limits.receiptBytesMax) throw fault('FORMATS_RECEIPT_TOO_LARGE');
  const bytes = typeof file === 'string' ? utf8(file) : file;
  const value = parseStrictJson(bytes, (problem, cause) =>
    fault('FORMATS_RECEIPT_JSON_INVALID', { problem }, cause),
  );
  // First, so that a receipt of a later format is told from a broken one.
  if (!isJsonObject(value) || value['format'] !== receiptFormat) {
    throw fault('FORMATS_RECEIPT_FORMAT_UNKNOWN');
  }
  const receipt = membersOf(value, 'receipt', receiptMembers);
  const leaf = membersOf(receipt['leaf'], 'leaf', leafMembers);
  const block = membersOf(receipt['block'], 'block', blockMembers);
  return {
    channel: readText(receipt, 'channel'),
    request: readText(receipt, 'request'),
    result: readBytes(receipt, 'result'),
    leaf: {
      requestHash: readBytes(leaf, 'requestHash', hashBytes),
      resultHash: readBytes(leaf, 'resultHash', hashBytes),
      blockNumber: readUint64(leaf, 'blockNumber'),
      txId: readText(leaf, 'txId'),
      requestIndex: readUint32(leaf, 'requestIndex'),
      validationCode: readUint32(leaf, 'validationCode'),
    },
    leafIndex: readUint64(receipt, 'leafIndex'),
    treeSize: readUint64(receipt, 'treeSize'),
    inclusionProof: readList(receipt, 'inclusionProof', proofHashesMax, hashBytes),
    block: {
      number: readUint64(block, 'number'),
      previousHash: readBytes(block, 'previousHash', hashBytes),
      dataHash: readBytes(block, 'dataHash', hashBytes),
    },
    signatures: readBytes(receipt, 'signatures'),
    certificates: readList(receipt, 'certificates', limits.certificateChainDepthMax),
  };
}

const receiptMembers = [
  'format',
  'channel',
  'request',
  'result',
  'leaf',
  'leafIndex',
  'treeSize',
  'inclusionProof',
  'block',
  'signatures',
  'certificates',
];
const leafMembers = [
  'requestHash',
  'resultHash',
  'blockNumber',
  'txId',
  'requestIndex',
  'validationCode',
];
const blockMembers = ['number', 'previousHash', 'dataHash'];

const hashBytes = 32;
/** The height of a tree whose size is a uint64. */
const proofHashesMax = 64;

function membersOf(value: unknown, what: string, names: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw invalid(what);
  const extra = Object.keys(value).find((name) => !names.includes(name));
  if (extra !== undefined) throw invalid(extra);
  return value;
}

function readText(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string' || value === '') throw invalid(name);
  return value;
}

function readBytes(object: JsonObject, name: string, length?: number): Uint8Array {
  return bytesOf(object[name], name, length);
}

function readList(
  object: JsonObject,
  name: string,
  countMax: number,
  length?: number,
): Uint8Array[] {
  const value = object[name];
  if (!Array.isArray(value) || value.length > countMax) throw invalid(name);
  return value.map((one: unknown) => bytesOf(one, name, length));
}

function bytesOf(value: unknown, name: string, length?: number): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (bytes === undefined || (length !== undefined && bytes.length !== length)) throw invalid(name);
  return bytes;
}

/** Text, since a JSON number loses what is above 2^53 in most readers. */
function readUint64(object: JsonObject, name: string): bigint {
  const value = object[name];
  if (typeof value !== 'string' || !/^(?:0|[1-9][0-9]{0,19})$/.test(value)) throw invalid(name);
  const number = BigInt(value);
  if (number >= 2n ** 64n) throw invalid(name);
  return number;
}

function readUint32(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== 'number' || value !== value >>> 0) throw invalid(name);
  return value;
}

function invalid(member: string): Error {
  return fault('FORMATS_RECEIPT_MEMBER_INVALID', { member: member.slice(0, limits.nameBytes) });
}
