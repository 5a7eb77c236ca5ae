import { LruMap, limits } from '#base';
import { sha256, verifyFabricAsStockPeer } from '#crypto';
import type { PublicKey } from '#crypto';

/** Hashing more once again costs as much as what remembering saves. */
const dataBytesMax = 64 * 1024;
/** Signatures that are right; what is wrong is not worth a place. */
const right = new LruMap<string, true>(limits.signaturesRememberedMax);

/**
 * As `verifyFabricAsStockPeer`; remembers what was right, because a transaction's signatures are looked
 * at when it is made and again when its block is. The answer depends on nothing but the arguments.
 */
export function verifiesOnce(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  if (data.length > dataBytesMax) return verifyFabricAsStockPeer(key, data, signature);
  const name = nameOf(key, data, signature);
  if (right.get(name) === true) return true;
  if (!verifyFabricAsStockPeer(key, data, signature)) return false;
  right.set(name, true);
  return true;
}

/** Takes a signature for right that was not looked at. */
export function takeForRight(key: PublicKey, data: Uint8Array, signature: Uint8Array): void {
  if (data.length <= dataBytesMax) right.set(nameOf(key, data, signature), true);
}

/** The lengths of the parts but the last are fixed: no two triples have one name. */
function nameOf(key: PublicKey, data: Uint8Array, signature: Uint8Array): string {
  return key.fingerprint + latin1(sha256(data)) + latin1(signature);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
