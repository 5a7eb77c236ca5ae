import { Buffer } from 'node:buffer';
import { fromBase64Url, limits } from '#base';
import { fault } from './faults.ts';
import { checkMembers, memberFault, readObject, readToken } from './request-members.ts';
import type { JsonObject } from './strict-json.ts';

/** What a client asks for. */
export interface RequestPayload {
  channel: string;
  contract: string;
  /** Executed in this order, all or none. */
  operations: Operation[];
  /** Base64url of 16 to 64 random bytes. */
  nonce: string;
  /** Issued at, seconds since the Unix epoch. */
  iat: number;
  /** Not to be executed at or after this, seconds since the Unix epoch. */
  exp: number;
}

export interface Operation {
  function: string;
  args: string[];
}

/** @throws FORMATS_REQUEST_… */
export function readRequestPayload(bytes: Uint8Array): RequestPayload {
  const payload = readObject(bytes, 'payload', payloadMembers);
  const iat = readTime(payload, 'iat');
  const exp = readTime(payload, 'exp');
  if (exp <= iat) throw fault('FORMATS_REQUEST_LIFETIME_EMPTY', { iat, exp });
  if (exp - iat > limits.requestLifetimeSecondsMax) {
    throw fault('FORMATS_REQUEST_LIFETIME_TOO_LONG', { iat, exp });
  }
  return {
    channel: readName(payload, 'channel'),
    contract: readName(payload, 'contract'),
    operations: readOperations(payload['operations']),
    nonce: readNonce(payload['nonce']),
    iat,
    exp,
  };
}

const payloadMembers = {
  channel: true,
  contract: true,
  operations: true,
  nonce: true,
  iat: true,
  exp: true,
};

const operationMembers = { function: true, args: true };

function readOperations(value: unknown): Operation[] {
  if (!Array.isArray(value) || value.length === 0) throw memberFault('INVALID', 'operations');
  if (value.length > limits.operationsPerRequest) {
    throw fault('FORMATS_REQUEST_OPERATIONS_TOO_MANY', { operations: value.length });
  }
  return value.map((one: unknown) => {
    const operation = checkMembers(one, 'operation', operationMembers);
    return { function: readToken(operation, 'function'), args: readArgs(operation['args']) };
  });
}

function readArgs(value: unknown): string[] {
  if (!Array.isArray(value)) throw memberFault('INVALID', 'args');
  if (value.length > limits.argsPerOperation) {
    throw fault('FORMATS_REQUEST_ARGUMENTS_TOO_MANY', { args: value.length });
  }
  return value.map((arg: unknown) => {
    if (typeof arg !== 'string') throw memberFault('INVALID', 'args');
    // Three bytes are the most a UTF-16 unit takes: most arguments need no second look.
    if (arg.length * 3 > limits.argBytes && Buffer.byteLength(arg) > limits.argBytes) {
      throw fault('FORMATS_REQUEST_ARGUMENT_TOO_LARGE');
    }
    return arg;
  });
}

/** Channel and contract names: they become parts of paths and keys. */
function readName(object: JsonObject, name: string): string {
  const value = readToken(object, name);
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(value)) throw memberFault('INVALID', name);
  return value;
}

function readNonce(value: unknown): string {
  if (typeof value !== 'string') throw memberFault('INVALID', 'nonce');
  const fits =
    value.length >= textLength(limits.nonceBytesMin) &&
    value.length <= textLength(limits.nonceBytesMax);
  if (!fits) throw fault('FORMATS_REQUEST_NONCE_LENGTH', { characters: value.length });
  if (fromBase64Url(value) === undefined) throw memberFault('INVALID', 'nonce');
  return value;
}

/** Characters of unpadded base64url. */
function textLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

function readTime(object: JsonObject, name: string): number {
  const value = object[name];
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw memberFault('INVALID', name);
  return Number(value);
}
