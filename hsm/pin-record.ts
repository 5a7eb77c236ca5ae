import { randomBytes, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, fromHex, replaceFile, toHex, utf8 } from '#base';
import { fault } from './faults.ts';

/** Remembers the PIN a token refused, so that no restart spends another of its attempts. */
export interface PinRecord {
  wasRefused(tokenSerial: string, pin: string): boolean;
  refuse(tokenSerial: string, pin: string): void;
}

/**
 * Keeps the record in `pin-refused` of a directory: serial, salt and scrypt of the PIN in hex.
 * A corrected PIN file is tried; nobody has to delete the record.
 */
export function openPinRecord(stateDir: string): PinRecord {
  const file = join(stateDir, 'pin-refused');
  return {
    wasRefused(tokenSerial, pin) {
      const refused = readRecord(file);
      if (refused === undefined || refused.serial !== tokenSerial) return false;
      return equalBytes(slowHash(pin, refused.salt), refused.hash);
    },
    refuse(tokenSerial, pin) {
      const salt = randomBytes(16);
      const line = `${toHex(utf8(tokenSerial))} ${toHex(salt)} ${toHex(slowHash(pin, salt))}\n`;
      replaceFile(file, utf8(line));
    },
  };
}

// A refused PIN is often one letter away from the right one: the hash must not give it away.
function slowHash(pin: string, salt: Uint8Array): Uint8Array {
  return scryptSync(pin, salt, 32);
}

function readRecord(
  file: string,
): { serial: string; salt: Uint8Array; hash: Uint8Array } | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault('HSM_GUARD_UNREADABLE', { file }, cause);
  }
  const [serial, salt, hash] = text.trim().split(' ').map(fromHex);
  if (serial === undefined || salt === undefined || hash === undefined) {
    throw fault('HSM_GUARD_CORRUPT', { file });
  }
  return { serial: Buffer.from(serial).toString('utf8'), salt, hash };
}
