/** Random values of our message tables, and the same values as Hyperledger's messages. */
import type { Message } from '#formats';
import { oracleOf } from './fabric-oracle.ts';
import type { OracleClass, OracleMessage } from './fabric-oracle.ts';
import type { SeededRandom } from './random.ts';

type Fields = Message<unknown>['fields'];
type Field = Fields[string];
export type Value = Record<string, unknown>;

const depthMax = 4;

/** Messages that our tables keep as bytes: Hyperledger's setters want them as messages. */
const opaque = new Set(['collections', 'signingIdentity']);

/** @param oracle says which fields exclude each other. */
export function randomValue(
  random: SeededRandom,
  message: Message<unknown>,
  oracle: OracleClass | undefined,
  depth = 0,
): Value {
  const value = message.initial() as Value;
  const dropped = droppedFields(random, oracle);
  for (const [name, field] of Object.entries(message.fields)) {
    if (dropped.has(field.number) || opaque.has(name) || random.chance(25)) continue;
    value[name] = randomField(random, field, depth);
  }
  return value;
}

/** All but one field of every oneof. */
function droppedFields(random: SeededRandom, oracle: OracleClass | undefined): Set<number> {
  const groups = oracle?.oneofGroups_ ?? [];
  return new Set(groups.flatMap((group) => group.toSpliced(random.below(group.length), 1)));
}

function randomField(random: SeededRandom, field: Field, depth: number): unknown {
  if (field.kind === 'map') return randomMap(random, field, depth);
  const one = () => randomOne(random, field, depth);
  if (!field.repeated) return one();
  if (isEntryList(field)) return randomEntries(random, field);
  return Array.from({ length: depth > depthMax ? 0 : random.below(4) }, one);
}

function randomOne(random: SeededRandom, field: Field, depth: number): unknown {
  switch (field.kind) {
    case 'bytes':
      return random.bytes(random.pick([0, 1, 30, 127, 128, 300]));
    case 'text':
      return randomText(random);
    case 'bool':
      return random.chance(60);
    case 'uint32':
      return random.pick([0, 1, 127, 128, 65_536, 2 ** 31, 2 ** 32 - 1]);
    case 'int32':
      return random.pick([0, 1, 300, 2 ** 31 - 1, -1, -(2 ** 31)]);
    case 'uint64':
      return random.pick([0n, 1n, 127n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 63n]);
    case 'int64':
      return random.pick([0n, 1n, 300n, 2n ** 53n - 1n, -1n, -(2n ** 63n)]);
    default:
      return randomMessage(random, field, depth);
  }
}

function randomMessage(random: SeededRandom, field: Field, depth: number): unknown {
  const message = messageOf(field);
  if (depth > depthMax) return message.initial();
  return randomValue(random, message, oracleOf(message), depth + 1);
}

function randomMap(random: SeededRandom, field: Field, depth: number): Map<string, unknown> {
  const keys = new Set(Array.from({ length: random.below(4) }, () => randomText(random)));
  const valueField = messageOf(field).fields['value'];
  if (valueField === undefined) throw new Error('a map entry has a value');
  const value = () => randomMessage(random, valueField, depth);
  if (depth > depthMax) return new Map();
  // Hyperledger's JavaScript writes maps by key; ours keeps the order it is given.
  return new Map([...keys].sort(byUnits).map((key) => [key, value()]));
}

function randomEntries(random: SeededRandom, field: Field): unknown[] {
  const valueField = messageOf(field).fields['value'];
  if (valueField === undefined) throw new Error('an entry has a value');
  const keys = new Set(Array.from({ length: random.below(4) }, () => randomText(random)));
  return [...keys].sort(byUnits).map((key) => ({
    key,
    value: randomOne(random, valueField, depthMax),
  }));
}

const texts = [
  '',
  'a',
  'Org1MSP',
  'ß',
  '\u0000key',
  '漢字',
  '\u{1f600}',
  'x'.repeat(95),
  'é'.repeat(200),
];

function randomText(random: SeededRandom): string {
  return texts[random.below(texts.length)] ?? '';
}

/** A map of scalars that our tables keep as the list of its entries. */
function isEntryList(field: Field): boolean {
  return field.kind === 'message' && field.repeated && isMapEntry(messageOf(field));
}

function isMapEntry(message: Message<unknown>): boolean {
  return /\.[A-Za-z]+\.[A-Za-z]+Entry$/.test(message.name);
}

export function messageOf(field: Field): Message<unknown> {
  if (field.message === undefined) throw new Error('a field of messages');
  return field.message();
}

/** Fills Hyperledger's message with one of our values, by its setters. */
export function toOracle(
  message: Message<unknown>,
  value: Value,
  oracle: OracleClass,
): OracleMessage {
  const made = new oracle();
  for (const [name, field] of Object.entries(message.fields)) {
    const one = opaque.has(name) ? undefined : value[name];
    if (field.kind === 'map' || isEntryList(field)) fillMap(made, name, field, one);
    else if (Array.isArray(one)) {
      call(
        made,
        `set${capital(name)}List`,
        one.map((item) => toOracleField(field, item)),
      );
    } else if (one !== undefined) call(made, `set${capital(name)}`, toOracleField(field, one));
  }
  return made;
}

function fillMap(made: OracleMessage, name: string, field: Field, value: unknown): void {
  const map = call(made, `get${capital(name)}Map`) as Map<string, unknown>;
  if (value instanceof Map) {
    const valueField = messageOf(field).fields['value'];
    for (const [key, item] of value) map.set(String(key), toOracleField(valueField, item));
  } else {
    for (const { key, value: item } of value as { key: string; value: unknown }[]) {
      map.set(key, item);
    }
  }
}

function toOracleField(field: Field | undefined, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (field?.kind !== 'message') return value;
  const message = messageOf(field);
  const oracle = oracleOf(message);
  if (oracle === undefined) throw new Error(`no oracle for ${message.name}`);
  return toOracle(message, value as Value, oracle);
}

/** Names differ from ours in case, and in a dollar sign where the generator uses one itself. */
function call(made: OracleMessage, name: string, ...args: unknown[]): unknown {
  const prototype = Object.getPrototypeOf(made) as OracleMessage;
  const own = Object.getOwnPropertyNames(prototype);
  const wanted = name.toLowerCase();
  const found = own.find((one) => one.toLowerCase().replace('$', '') === wanted);
  const method = found === undefined ? undefined : made[found];
  if (typeof method !== 'function') throw new Error(`Hyperledger's message has no ${name}`);
  return method.apply(made, args);
}

function capital(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}
