import type { Version } from '#formats';
import type { StateEntry, StateRow } from './state.ts';

/** The state below the block that is being validated. */
export interface CommittedState {
  get(namespace: string, key: string): StateEntry | undefined;
  version(namespace: string, key: string): Version | undefined;
  /** The metadata of a key that has some. */
  metadata(namespace: string, key: string): Uint8Array | undefined;
  scan(namespace: string, start: string, end: string): Iterable<StateRow>;
}

/** No version is the version of a key that is not there, which {0,0} is not. */
export function isSameVersion(a: Version | undefined, b: Version | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.blockNum === b.blockNum && a.txNum === b.txNum;
}
