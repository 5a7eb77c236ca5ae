import { LruMap, latin1Of, limits } from '#base';
import { sha256, verifyFabricAsStockPeer } from '#crypto';
import type { PublicKey, SharedStart } from '#crypto';

/** Hashing more to remember it costs as much as a second look would, unless others share the hash. */
const dataBytesMax = 64 * 1024;
/** Signatures that are right, each with what was signed and by whom; what is wrong is not worth a place. */
const right = new LruMap<string, string>(limits.signaturesRememberedMax);

/**
 * As `verifyFabricAsStockPeer`; remembers what was right, because a transaction's signatures are looked
 * at when it is made and again when its block is. The answer depends on nothing but the arguments.
 */
export function verifiesOnce(
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
  start?: SharedStart,
): boolean {
  const known = right.get(latin1Of(signature));
  if (known !== undefined && known === nameOf(key, data, start)) return true;
  if (!verifyFabricAsStockPeer(key, data, signature, start)) return false;
  if (start !== undefined || data.length <= dataBytesMax) takeForRight(key, data, signature, start);
  return true;
}

/** Takes a signature for right that was not looked at. */
export function takeForRight(
  key: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
  start?: SharedStart,
): void {
  right.set(latin1Of(signature), nameOf(key, data, start));
}

/** Key and digest have fixed lengths: no two pairs have one name. */
function nameOf(key: PublicKey, data: Uint8Array, start?: SharedStart): string {
  const digest = start === undefined ? sha256(data) : start.sha256With(data);
  return key.fingerprint + latin1Of(digest);
}
