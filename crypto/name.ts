import { toHex } from '#base';
import { derTags } from './der-reader.ts';
import type { DerElement, DerReader } from './der-reader.ts';
import { derOid, derSequence, derSetOf, derText } from './der-writer.ts';
import { fault } from './faults.ts';
import { oids } from './oids.ts';

/** A distinguished name. Names are compared by `der`; the strings are for people and policies. */
export interface Name {
  /** RFC 4514: the most specific attribute first. */
  rfc4514: string;
  /** The last commonName of the name. */
  commonName?: string;
  /** In the order of the encoding. */
  organizationalUnits: string[];
  der: Uint8Array;
}

/** What goes into the subject of a certificate or request that is made here. */
export interface SubjectFields {
  commonName: string;
  organizationalUnits?: readonly string[];
  organization?: string;
}

const attributesMax = 32;
const valueBytesMax = 1024;

/** The short names of RFC 4514 section 3; every other type appears as its OID. */
const shortNames: Readonly<Record<string, string>> = {
  [oids.commonName]: 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  [oids.organization]: 'O',
  [oids.organizationalUnit]: 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
};

/** Reads a Name that comes next. @throws CRYPTO_DER_MALFORMED. */
export function readName(reader: DerReader): Name {
  const { der, content } = reader.element(derTags.sequence);
  const sets = reader.inside(content);
  const rdns: Attribute[][] = [];
  let count = 0;
  while (!sets.atEnd) {
    const rdn = readRdn(sets.nested(derTags.set));
    count += rdn.length;
    if (count > attributesMax) throw malformed('too many attributes');
    rdns.push(rdn);
  }
  const texts = (type: string) =>
    rdns.flat().flatMap((one) => (one.type === type && one.text !== undefined ? [one.text] : []));
  return {
    rfc4514: rdns.toReversed().map(rdnText).join(','),
    commonName: texts(oids.commonName).at(-1),
    organizationalUnits: texts(oids.organizationalUnit),
    der: Uint8Array.from(der),
  };
}

/**
 * The DER of a subject: organisation, then units, then common name.
 *
 * @throws CRYPTO_SUBJECT_INVALID an empty or over-long value (RFC 5280 appendix A.1 has 64).
 */
export function writeName(fields: SubjectFields): Uint8Array {
  const attributes: [type: string, value: string][] = [];
  if (fields.organization !== undefined) attributes.push([oids.organization, fields.organization]);
  for (const unit of fields.organizationalUnits ?? []) {
    attributes.push([oids.organizationalUnit, unit]);
  }
  attributes.push([oids.commonName, fields.commonName]);
  return derSequence(...attributes.map(([type, value]) => writeRdn(type, value)));
}

function writeRdn(type: string, value: string): Uint8Array {
  const { length } = value;
  if (length === 0 || length > 64 || !value.isWellFormed()) {
    throw fault('CRYPTO_SUBJECT_INVALID', { attribute: shortNames[type], length });
  }
  return derSetOf(derSequence(derOid(type), derText(value)));
}

interface Attribute {
  type: string;
  /** Undefined when the value is not of a string type. */
  text: string | undefined;
  der: Uint8Array;
}

function readRdn(set: DerReader): Attribute[] {
  const attributes: Attribute[] = [];
  do {
    const fields = set.sequence();
    const type = fields.oid();
    const value = fields.element();
    fields.end();
    if (value.content.length > valueBytesMax) throw malformed('attribute value size');
    attributes.push({ type, text: directoryText(value), der: value.der });
  } while (!set.atEnd && attributes.length <= attributesMax);
  return attributes;
}

function rdnText(rdn: readonly Attribute[]): string {
  return rdn.map(attributeText).join('+');
}

function attributeText({ type, text, der }: Attribute): string {
  const shortName = Object.hasOwn(shortNames, type) ? shortNames[type] : undefined;
  if (shortName === undefined || text === undefined) return `${type}=#${toHex(der)}`;
  return `${shortName}=${escapeValue(text)}`;
}

/** Control characters are escaped too, so that a name cannot forge a line of a log. */
function escapeValue(text: string): string {
  return text
    .replace(/^[ #]|[\\"+,;<>]| $/g, String.raw`\$&`)
    .replace(/\p{Cc}/gu, (character) =>
      [...new TextEncoder().encode(character)]
        .map((octet) => `\\${octet.toString(16).padStart(2, '0')}`)
        .join(''),
    );
}

/** The text of a DirectoryString or IA5String; undefined for every other type. */
function directoryText({ tag, content }: DerElement): string | undefined {
  switch (tag) {
    case derTags.utf8String:
      return decoded('utf-8', content);
    case derTags.printableString:
      // '*' and '&' are not in the standard's set; certificates carry them and Go reads them.
      return asciiText(content, /^[A-Za-z0-9 '()+,\-./:=?*&]*$/);
    case derTags.ia5String:
      return asciiText(content, /^[\0-\x7f]*$/);
    case derTags.teletexString:
      return Buffer.from(content).toString('latin1');
    case derTags.bmpString:
      if (content.length % 2 !== 0) throw malformed('BMPString length');
      return decoded('utf-16be', content);
    default:
      return undefined;
  }
}

function asciiText(content: Uint8Array, allowed: RegExp): string {
  const text = Buffer.from(content).toString('latin1');
  if (!allowed.test(text)) throw malformed('character outside its string type');
  return text;
}

function decoded(encoding: string, content: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw fault('CRYPTO_DER_MALFORMED', { reason: 'text encoding' }, cause);
  }
}

function malformed(reason: string) {
  return fault('CRYPTO_DER_MALFORMED', { reason });
}
