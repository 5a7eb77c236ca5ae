import { randomBytes } from 'node:crypto';
import pkcs11js from 'pkcs11js';
import { limits } from '#base';
import { fault } from './faults.ts';
import { readPkcs11Error } from './pkcs11-errors.ts';
import type { Handle } from './pkcs11-module.ts';
import type { Token } from './pkcs11-token.ts';

/** DER of the OID 1.2.840.10045.3.1.7, prime256v1. */
export const p256Parameters = Buffer.from('06082a8648ce3d030107', 'hex');
const idBytes = 16;

/**
 * Has the token make a P-256 pair, unless it holds a private key of this label already: after a
 * crash the same pair is gone on with.
 */
export function generateKeyPair(token: Token, label: string): void {
  withWriting(token, (session) => {
    if (objectsOf(token, session, label, pkcs11js.CKO_PRIVATE_KEY).length > 0) return;
    const common = [...pairTraits(pkcs11js.CKK_EC, label), unmodifiable];
    token.pkcs11.C_GenerateKeyPair(
      session,
      { mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN },
      [...common, ...publicTraits],
      [...common, ...signingTraits],
    );
  });
}

/** What both halves of a new pair have; no other pair has their CKA_ID. */
export function pairTraits(keyType: number, label: string) {
  return [
    { type: pkcs11js.CKA_KEY_TYPE, value: keyType },
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: randomBytes(idBytes) },
    { type: pkcs11js.CKA_TOKEN, value: true },
  ];
}

/** Last where a key is unwrapped: SoftHSM takes the attributes in their order, and then no more. */
export const unmodifiable = { type: pkcs11js.CKA_MODIFIABLE, value: false };

const publicTraits = [
  { type: pkcs11js.CKA_PRIVATE, value: false },
  { type: pkcs11js.CKA_VERIFY, value: true },
  { type: pkcs11js.CKA_ENCRYPT, value: false },
  { type: pkcs11js.CKA_WRAP, value: false },
  { type: pkcs11js.CKA_EC_PARAMS, value: p256Parameters },
];

/** All of it said: SoftHSM's own default for CKA_SENSITIVE is false, and nothing corrects it later. */
export const signingTraits = [
  { type: pkcs11js.CKA_PRIVATE, value: true },
  { type: pkcs11js.CKA_SENSITIVE, value: true },
  { type: pkcs11js.CKA_EXTRACTABLE, value: false },
  { type: pkcs11js.CKA_SIGN, value: true },
  { type: pkcs11js.CKA_SIGN_RECOVER, value: false },
  { type: pkcs11js.CKA_DECRYPT, value: false },
  { type: pkcs11js.CKA_DERIVE, value: false },
  { type: pkcs11js.CKA_UNWRAP, value: false },
];

/**
 * Destroys all objects of this label, the private key first. Whether they are gone is looked for,
 * whatever the token answered: that none is found is the evidence of the destruction.
 *
 * @throws HSM_KEY_UNDESTROYED
 */
export function destroyKeyPair(token: Token, label: string): void {
  withWriting(token, (session) => {
    const find = () => kinds.flatMap((kind) => objectsOf(token, session, label, kind));
    const answers = find().map((object) => destroyObject(token, session, object));
    const objects = find().length;
    const name = answers.find((answer) => answer !== undefined);
    if (objects > 0) throw fault('HSM_KEY_UNDESTROYED', { key: label, objects, name });
  });
}

const kinds = [pkcs11js.CKO_PRIVATE_KEY, pkcs11js.CKO_PUBLIC_KEY] as const;

/** @returns why the token did not, if it said so. */
function destroyObject({ pkcs11 }: Token, session: Handle, object: Handle): string | undefined {
  try {
    pkcs11.C_DestroyObject(session, object);
  } catch (error) {
    return readPkcs11Error(error).name;
  }
  return undefined;
}

/** Objects of a class that carry a label. */
export function objectsOf(
  { pkcs11 }: Token,
  session: Handle,
  label: string,
  kind: number,
): Handle[] {
  pkcs11.C_FindObjectsInit(session, [
    { type: pkcs11js.CKA_CLASS, value: kind },
    { type: pkcs11js.CKA_LABEL, value: label },
  ]);
  try {
    return pkcs11.C_FindObjects(session, limits.tokenKeysMax);
  } finally {
    pkcs11.C_FindObjectsFinal(session);
  }
}

/** A session that may write is open only for as long as something is written. */
export function withWriting<Value>(
  { pkcs11, slot }: Token,
  write: (session: Handle) => Value,
): Value {
  const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION;
  const session = pkcs11.C_OpenSession(slot, flags);
  try {
    return write(session);
  } finally {
    pkcs11.C_CloseSession(session);
  }
}
