import { concatBytes, emptyBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import { QueryReads, definitionWrites, lifecycleNamespace } from '#formats';
import type { KvRead, KvWrite, RangeQueryInfo, Version } from '#formats';
import type { Ledger } from '#ledger';
import type { NamespaceContent } from '../support/envelope-layers.ts';
import type { People } from './people.ts';
import { applicationPolicyOf, keyPolicyOf } from './policies-made.ts';
import type {
  NamespaceRecipe,
  RangeKind,
  RangeRecipe,
  ReadKind,
  TransactionRecipe,
  WriteKind,
} from './recipe.ts';

type State = Pick<Ledger, 'get' | 'range'>;

/** What a transaction reads and writes, by the state it was simulated on. */
export function contentOf(
  recipe: TransactionRecipe,
  state: State,
  people: People,
): NamespaceContent[] {
  const namespaces = recipe.namespaces.map((one): NamespaceContent => ({
    namespace: one.name,
    content: {
      reads: (one.reads ?? []).map(({ key, as }) => readOf(one.name, key, as, state)),
      rangeQueriesInfo: (one.ranges ?? []).map((range) => rangeOf(one.name, range, state)),
      writes: (one.writes ?? []).map(({ key, as }) => writeOf(key, as)),
      metadataWrites: metadataOf(one, people),
    },
  }));
  if (recipe.definition === undefined) return namespaces;
  const { name, sequence, policy } = recipe.definition;
  const writes = definitionWrites({
    name,
    version: '1.0',
    sequence: BigInt(sequence),
    applicationPolicy: applicationPolicyOf(policy, people),
  });
  return [{ namespace: lifecycleNamespace, content: { writes } }, ...namespaces];
}

function readOf(namespace: string, key: string, as: ReadKind, state: State): KvRead {
  const now = state.get(namespace, key)?.version;
  const { blockNum, txNum } = now ?? { blockNum: 1n, txNum: 0n };
  const versions: Readonly<Record<ReadKind, Version | undefined>> = {
    now,
    absent: undefined,
    zero: { blockNum: 0n, txNum: 0n },
    older: { blockNum: blockNum === 0n ? 7n : blockNum - 1n, txNum },
    'next transaction': { blockNum, txNum: txNum + 1n },
  };
  return { key, version: versions[as] };
}

function writeOf(key: string, as: WriteKind): KvWrite {
  const forms: Readonly<Record<WriteKind, Omit<KvWrite, 'key'>>> = {
    value: { isDelete: false, value: utf8(`value of ${key}`) },
    other: { isDelete: false, value: utf8('another value') },
    delete: { isDelete: true, value: emptyBytes },
    empty: { isDelete: false, value: emptyBytes },
    'delete with value': { isDelete: true, value: utf8('left over') },
  };
  return { key, ...forms[as] };
}

function metadataOf({ metadata = [] }: NamespaceRecipe, people: People) {
  return metadata.map(({ key, policy }) => ({
    key,
    entries:
      policy === undefined
        ? []
        : [{ name: 'VALIDATION_PARAMETER', value: keyPolicyOf(policy, people) }],
  }));
}

const rowsMax = 1_000;

function rangeOf(namespace: string, recipe: RangeRecipe, state: State): RangeQueryInfo {
  const { start, end, exhausted, degree } = recipe;
  const all = state
    .range(namespace, start, end, rowsMax)
    .map(({ key, version }): Row => ({ key, version }));
  const seen = exhausted ? all : all.slice(0, Math.ceil(all.length / 2));
  const rows = changedRows(seen, recipe);
  const last = seen.at(-1)?.key;
  const summary = degree === undefined ? undefined : merkleSummary(rows, degree);
  return {
    startKey: start,
    endKey: exhausted || last === undefined ? end : last,
    itrExhausted: exhausted,
    rawReads: summary === undefined ? { kvReads: rows } : undefined,
    readsMerkleHashes: summary,
  };
}

type Row = KvRead & { version: Version };

function changedRows(rows: readonly Row[], { as, end }: RangeRecipe): Row[] {
  const zero = { blockNum: 0n, txNum: 0n };
  const forms: Readonly<Record<RangeKind, Row[]>> = {
    now: [...rows],
    'one less': rows.slice(0, -1),
    'one more': [...rows, { key: end, version: zero }],
    'other version': rows.map((row, index) => (index === 0 ? { ...row, version: zero } : row)),
    'turned round': rows.toReversed(),
  };
  return forms[as];
}

/**
 * The summary of more rows than the degree, as a simulator makes it.
 *
 * @see Fabric core/ledger/kvledger/txmgmt/rwsetutil/query_results_helper.go.
 */
function merkleSummary(rows: readonly KvRead[], degree: number) {
  if (rows.length <= degree) return undefined;
  const levels: Uint8Array[][] = [[]];
  for (let at = 0; at < rows.length; at += degree + 1) {
    const kvReads = rows.slice(at, at + degree + 1);
    let hash = sha256(QueryReads.encode({ kvReads }));
    for (let level = 0; ; level += 1) {
      const hashes = (levels[level] ??= []);
      hashes.push(hash);
      // The last ones, too few for a hash by themselves, wait for the end.
      if (hashes.length <= degree) break;
      hash = sha256(concatBytes(...hashes));
      levels[level] = [];
    }
  }
  for (let level = 0; level < levels.length - 1; level += 1) {
    const hashes = levels[level]!;
    if (hashes.length === 0) continue;
    levels[level + 1]!.push(hashes.length === 1 ? hashes[0]! : sha256(concatBytes(...hashes)));
  }
  const top = levels.at(-1) ?? [];
  if (top.length > degree) {
    const maxLevelHashes = [sha256(concatBytes(...top))];
    return { maxDegree: degree, maxLevel: levels.length + 1, maxLevelHashes };
  }
  return { maxDegree: degree, maxLevel: levels.length, maxLevelHashes: top };
}
