/** Requests with anything wrong in them that a test asks for; what it does not name is right. */
import { randomBytes } from 'node:crypto';
import { systemClock, toBase64Url, utf8 } from '#base';
import type { ClientKey } from '#cli';

export interface Craft {
  header?: Record<string, unknown>;
  payload?: Record<string, unknown>;
  /** In place of the key's own signature. */
  sign?: (signingInput: Uint8Array) => Uint8Array;
}

/** @returns a compact JWS. */
export function craftedRequest(key: ClientKey, craft: Craft): string {
  const nowSeconds = Math.floor(systemClock.nowMs() / 1000);
  const header = { alg: key.algorithm, typ: 'countersign-request', ...craft.header };
  const payload = {
    nonce: toBase64Url(randomBytes(16)),
    iat: nowSeconds,
    exp: nowSeconds + 600,
    ...craft.payload,
  };
  const input = utf8(`${part(header)}.${part(payload)}`);
  const signature = craft.sign?.(input) ?? key.sign(input);
  return `${Buffer.from(input).toString('latin1')}.${toBase64Url(signature)}`;
}

function part(value: unknown): string {
  return toBase64Url(utf8(JSON.stringify(value)));
}
