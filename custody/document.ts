import { limits, schemaCheck } from '#base';
import type { Schema, Static } from '#base';
import { parseStrictJson } from '#formats';
import { fault } from './faults.ts';

/**
 * Makes the reader of one kind of custody document: strict JSON that fits its schema exactly.
 * What is hashed and signed are always the bytes as received, never a second writing of them.
 *
 * @param what names the kind in the fault's detail.
 * @returns throws CUSTODY_DOCUMENT_TOO_LARGE, CUSTODY_DOCUMENT_INVALID.
 */
export function documentReader<S extends Schema>(
  schema: S,
  what: string,
): (bytes: Uint8Array) => Static<S> {
  const check = schemaCheck(schema, { fillsDefaults: false });
  return (bytes) => {
    if (bytes.length > limits.custodyDocumentBytesMax) {
      throw fault('CUSTODY_DOCUMENT_TOO_LARGE', { what, bytes: bytes.length });
    }
    const value = parseStrictJson(bytes, (problem, cause) =>
      fault('CUSTODY_DOCUMENT_INVALID', { what, problem }, cause),
    );
    return check(value, (misfit) => fault('CUSTODY_DOCUMENT_INVALID', { what, ...misfit }));
  };
}
