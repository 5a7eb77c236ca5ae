import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Fault } from '#base';
import { parsePemAll } from '#crypto';
import { Block } from '#formats';
import { fault } from './faults.ts';

/** @throws PEER_FILE_UNREADABLE; PEER_GENESIS_INVALID what is in it is no block. */
export function readGenesis(file: string): Block {
  try {
    return Block.decode(new Uint8Array(readNamed(file)));
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code.startsWith('PEER_')) throw cause;
    throw fault('PEER_GENESIS_INVALID', { file }, cause);
  }
}

/** @throws PEER_FILE_UNREADABLE */
export function readText(file: string): string {
  return readNamed(file).toString('utf8');
}

/**
 * Reads the authorities that a TLS server has to be certified by. OpenSSL takes a file without any
 * for a list of none, and every connection would fail without saying why.
 *
 * @returns PEM bytes.
 * @throws PEER_FILE_UNREADABLE, PEER_TLS_INVALID
 */
export function readAuthorities(file: string): Uint8Array {
  const text = readText(file);
  try {
    if (parsePemAll(text).length > 0) return Buffer.from(text);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw fault('PEER_TLS_INVALID', { file }, cause);
  }
  throw fault('PEER_TLS_INVALID', { file, reason: 'no certificate' });
}

/** Reads a server's certificate and key. @returns PEM. @throws PEER_FILE_UNREADABLE, PEER_TLS_INVALID */
export function readTlsPair(files: { certificateFile: string; keyFile: string }) {
  const certificate = readText(files.certificateFile);
  const privateKey = readText(files.keyFile);
  try {
    createSecureContext({ cert: certificate, key: privateKey });
  } catch (cause) {
    throw fault('PEER_TLS_INVALID', { file: files.certificateFile }, cause);
  }
  return { certificate, privateKey };
}

function readNamed(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw fault('PEER_FILE_UNREADABLE', { file }, cause);
  }
}
