import { isUtf8 } from 'node:buffer';
import { Type, textOf, toBase64 } from '#base';
import type { Static } from '#base';

/** What an operation answered: bytes, which are text more often than not. */
export const Payload = Type.Union([
  Type.Object({ text: Type.String() }, { additionalProperties: false }),
  Type.Object({ base64: Type.String() }, { additionalProperties: false }),
]);
export type Payload = Static<typeof Payload>;

export function payloadOf(bytes: Uint8Array): Payload {
  return isUtf8(bytes) ? { text: textOf(bytes) } : { base64: toBase64(bytes) };
}
