import pkcs11js from 'pkcs11js';
import { limits } from '#base';
import { importTokenPoint } from '#crypto';
import type { PublicKey } from '#crypto';
import { fault } from './faults.ts';
import type { Handle } from './pkcs11-module.ts';
import type { Token } from './pkcs11-token.ts';

/** A private key on the token; the handle is good until the login or the token goes. */
export interface TokenKey {
  readonly label: string;
  readonly handle: Handle;
  readonly publicKey: PublicKey;
}

/**
 * Finds the one private key of a label and its public half.
 *
 * @param origin `imported`: one that operators had brought to the token.
 * @throws HSM_KEY_ABSENT, HSM_KEY_AMBIGUOUS, HSM_KEY_UNSAFE
 */
export function findTokenKey(token: Token, label: string, origin: KeyOrigin = 'local'): TokenKey {
  const handle = findOne(token, label, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
    { type: pkcs11js.CKA_LABEL, value: label },
  ]);
  checkAttributes(token, label, handle, [...demanded, ...demandedByOrigin[origin]]);
  const id = attribute(token, handle, pkcs11js.CKA_ID);
  // Nothing in PKCS#11 keeps two keys from carrying one id; a later search might find the other.
  findOne(token, label, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
    { type: pkcs11js.CKA_ID, value: id },
  ]);
  const publicHandle = findOne(token, label, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
    { type: pkcs11js.CKA_ID, value: id },
  ]);
  const publicKey = importTokenPoint(attribute(token, publicHandle, pkcs11js.CKA_EC_POINT));
  if (publicKey.kind !== 'P-256') throw unsafe(label, 'CKA_EC_POINT');
  return { label, handle, publicKey };
}

/** Where a private key was made. */
export type KeyOrigin = 'local' | 'imported';

/** The value that an attribute has to have. */
type Demand = readonly [type: number, name: string, value: boolean];

/** What keeps a private key inside its token. */
const demanded: readonly Demand[] = [
  [pkcs11js.CKA_TOKEN, 'CKA_TOKEN', true],
  [pkcs11js.CKA_PRIVATE, 'CKA_PRIVATE', true],
  [pkcs11js.CKA_SENSITIVE, 'CKA_SENSITIVE', true],
  [pkcs11js.CKA_EXTRACTABLE, 'CKA_EXTRACTABLE', false],
  [pkcs11js.CKA_SIGN, 'CKA_SIGN', true],
];

/** A key that was made in its token was inside it ever since; for another one nobody vouches before. */
const demandedByOrigin: Readonly<Record<KeyOrigin, readonly Demand[]>> = {
  local: [
    [pkcs11js.CKA_ALWAYS_SENSITIVE, 'CKA_ALWAYS_SENSITIVE', true],
    [pkcs11js.CKA_NEVER_EXTRACTABLE, 'CKA_NEVER_EXTRACTABLE', true],
    [pkcs11js.CKA_LOCAL, 'CKA_LOCAL', true],
  ],
  imported: [[pkcs11js.CKA_LOCAL, 'CKA_LOCAL', false]],
};

/** @throws HSM_KEY_UNSAFE */
export function checkAttributes(
  token: Token,
  label: string,
  handle: Handle,
  demands: readonly Demand[],
): void {
  for (const [type, name, value] of demands) {
    const seen = attribute(token, handle, type);
    if (seen.length !== 1 || (seen[0] !== 0) !== value) throw unsafe(label, name);
  }
}

function unsafe(label: string, attributeName: string) {
  return fault('HSM_KEY_UNSAFE', { key: label, attribute: attributeName });
}

function attribute({ pkcs11, anchor }: Token, handle: Handle, type: number): Buffer {
  const [seen] = pkcs11.C_GetAttributeValue(anchor, handle, [{ type }]);
  return seen?.value ?? Buffer.alloc(0);
}

function findOne(
  token: Token,
  label: string,
  template: { type: number; value: unknown }[],
): Handle {
  const { pkcs11, anchor } = token;
  pkcs11.C_FindObjectsInit(anchor, template as Parameters<typeof pkcs11.C_FindObjectsInit>[1]);
  let handles: Handle[];
  try {
    handles = pkcs11.C_FindObjects(anchor, limits.tokenKeysMax);
  } finally {
    // An open search would make every later one on this session fail.
    pkcs11.C_FindObjectsFinal(anchor);
  }
  const [handle] = handles;
  if (handle === undefined) throw fault('HSM_KEY_ABSENT', { key: label });
  if (handles.length > 1) throw fault('HSM_KEY_AMBIGUOUS', { key: label, count: handles.length });
  return handle;
}
