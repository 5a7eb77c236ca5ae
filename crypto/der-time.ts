import type { DerReader } from './der-reader.ts';
import { derTags } from './der-reader.ts';
import { fault } from './faults.ts';

/**
 * Reads a UTCTime or GeneralizedTime to the second, in UTC.
 * A GeneralizedTime before 2050 is read too: certificates carry it and Go's crypto/x509 takes it.
 *
 * @throws CRYPTO_DER_MALFORMED another form, or a day or hour that does not exist.
 * @see RFC 5280 section 4.1.2.5.
 */
export function readTime(reader: DerReader): Date {
  const { tag, content } = reader.element();
  const text = Buffer.from(content).toString('latin1');
  if (tag === derTags.utcTime && /^\d{12}Z$/.test(text)) {
    return dateOf(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`);
  }
  if (tag === derTags.generalizedTime && /^\d{14}Z$/.test(text)) return dateOf(text);
  throw fault('CRYPTO_DER_MALFORMED', { reason: 'time', tag });
}

function dateOf(digits: string): Date {
  const iso = digits.replace(
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
    (_all, year, month, day, hour, minute, second) =>
      `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`,
  );
  const date = new Date(iso);
  // Date rolls 30 February over into March: only what survives the way back was a real date.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) {
    throw fault('CRYPTO_DER_MALFORMED', { reason: 'no such time' });
  }
  return date;
}
