import { limits } from '#base';
import { fault } from './faults.ts';
import { isJsonObject, parseStrictJson } from './strict-json.ts';
import type { JsonObject, JsonProblem } from './strict-json.ts';

/** Members an object may have; true for those it must have. */
export type Members = Readonly<Record<string, boolean>>;

/** Reads one part of a request as a JSON object of exactly these members. @throws FORMATS_REQUEST_… */
export function readObject(bytes: Uint8Array, part: string, members: Members): JsonObject {
  const value = parseStrictJson(bytes, (problem, cause) =>
    fault(problemFaults[problem], { part }, cause),
  );
  return checkMembers(value, part, members);
}

/** @throws FORMATS_REQUEST_JSON_INVALID, FORMATS_REQUEST_MEMBER_… */
export function checkMembers(value: unknown, part: string, members: Members): JsonObject {
  if (!isJsonObject(value)) throw fault('FORMATS_REQUEST_JSON_INVALID', { part });
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(members, name)) throw memberFault('UNKNOWN', name);
  }
  for (const name of Object.keys(members)) {
    if (members[name] === true && value[name] === undefined) throw memberFault('MISSING', name);
  }
  return value;
}

/** A name in visible ASCII, safe in a log, a path and a policy. @throws FORMATS_REQUEST_… */
export function readToken(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw memberFault('INVALID', name);
  if (value.length > limits.nameBytes) throw fault('FORMATS_REQUEST_NAME_TOO_LONG', { name });
  if (!/^[!-~]+$/.test(value)) throw memberFault('INVALID', name);
  return value;
}

export function memberFault(state: 'UNKNOWN' | 'MISSING' | 'INVALID', member: string): Error {
  // The name may be the sender's own: shown, but not at any length.
  return fault(`FORMATS_REQUEST_MEMBER_${state}`, { member: member.slice(0, limits.nameBytes) });
}

const problemFaults = {
  utf8: 'FORMATS_REQUEST_UTF8_INVALID',
  syntax: 'FORMATS_REQUEST_JSON_INVALID',
  depth: 'FORMATS_REQUEST_TOO_DEEP',
  duplicate: 'FORMATS_REQUEST_MEMBER_DUPLICATE',
  surrogate: 'FORMATS_REQUEST_UTF8_INVALID',
} as const satisfies Record<JsonProblem, string>;
