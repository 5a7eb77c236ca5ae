/** Joins texts so that {@link unpackFields} gets them back: each is length u32 (little-endian) ‖ UTF-8. */
export function packFields(fields: string[]): Uint8Array {
  let byteCount = 0;
  for (let index = 0; index < fields.length; index++) {
    byteCount += 4 + String.UTF8.byteLength(fields[index]);
  }
  const packed = new Uint8Array(byteCount);
  let offset = packed.dataStart;
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index];
    const written = String.UTF8.encodeUnsafe(
      changetype<usize>(field),
      field.length,
      offset + 4,
    ) as u32;
    store<u32>(offset, written);
    offset += 4 + written;
  }
  return packed;
}

/** Takes apart what {@link packFields} made; anything else traps. */
export function unpackFields(packed: Uint8Array): string[] {
  const fields: string[] = [];
  let offset = packed.dataStart;
  let left = packed.length as u32;
  while (left > 0) {
    assert(left >= 4, 'packed fields are cut off');
    const byteCount = load<u32>(offset);
    assert(byteCount <= left - 4, 'packed fields are cut off');
    fields.push(String.UTF8.decodeUnsafe(offset + 4, byteCount));
    offset += 4 + byteCount;
    left -= 4 + byteCount;
  }
  return fields;
}
