import { randomBytes } from 'node:crypto';
import { concatBytes, utf8 } from '#base';

/** A content that is nothing else: no envelope, block or endorsement begins like this. */
export function keyChallenge(): Uint8Array {
  return concatBytes(utf8('countersign key proof\0'), randomBytes(32));
}
