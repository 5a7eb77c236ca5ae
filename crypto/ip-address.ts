import { isIP } from 'node:net';
import { fault } from './faults.ts';

/** The text of 4 or 16 octets: a dotted quad or RFC 5952. @throws CRYPTO_DER_MALFORMED. */
export function readIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) throw fault('CRYPTO_DER_MALFORMED', { reason: 'IP address size' });
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2)
    groups.push((octets[at]! * 256 + octets[at + 1]!).toString(16));
  return canonicalIpv6(groups.join(':'));
}

/** The octets of a textual address. @throws CRYPTO_SUBJECT_INVALID. */
export function writeIpAddress(text: string): Uint8Array {
  const version = isIP(text);
  if (version === 4) return Uint8Array.from(text.split('.').map(Number));
  if (version !== 6 || text.includes('%')) throw fault('CRYPTO_SUBJECT_INVALID', { ip: text });
  const [before = '', after] = canonicalIpv6(text).split('::');
  const head = groupsOf(before);
  const tail = groupsOf(after ?? '');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return Uint8Array.from(
    [...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 255]),
  );
}

/** The URL standard's serialiser shortens an address as RFC 5952 says, without dotted quads. */
function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
