import pkcs11js from 'pkcs11js';
import type { Handle, Pkcs11 } from '../../hsm/pkcs11-module.ts';

const p256Parameters = Buffer.from('06082a8648ce3d030107', 'hex');
const p384Parameters = Buffer.from('06052b81040022', 'hex');

export interface KeyTraits {
  label: string;
  id?: Buffer;
  extractable?: boolean;
  sensitive?: boolean;
  sign?: boolean;
  onToken?: boolean;
  curve?: 'P-256' | 'P-384';
}

/** Makes a key pair in the token, with whatever is wrong about it that a test wants. */
export function generatePair(pkcs11: Pkcs11, session: Handle, traits: KeyTraits): Buffer {
  const { label, id = Buffer.from(label), onToken = true } = traits;
  const named = [
    { type: pkcs11js.CKA_TOKEN, value: onToken },
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: id },
  ];
  const parameters = traits.curve === 'P-384' ? p384Parameters : p256Parameters;
  const pair = pkcs11.C_GenerateKeyPair(
    session,
    { mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN },
    [
      ...named,
      { type: pkcs11js.CKA_PRIVATE, value: false },
      { type: pkcs11js.CKA_VERIFY, value: true },
      { type: pkcs11js.CKA_EC_PARAMS, value: parameters },
    ],
    [
      ...named,
      { type: pkcs11js.CKA_PRIVATE, value: true },
      { type: pkcs11js.CKA_SENSITIVE, value: traits.sensitive ?? true },
      { type: pkcs11js.CKA_EXTRACTABLE, value: traits.extractable ?? false },
      { type: pkcs11js.CKA_SIGN, value: traits.sign ?? true },
    ],
  );
  const [point] = pkcs11.C_GetAttributeValue(session, pair.publicKey, [
    { type: pkcs11js.CKA_EC_POINT },
  ]);
  return point?.value as Buffer;
}

/** Stores a public key object of that point: data that anyone with a session may write. */
export function storePublicKey(
  pkcs11: Pkcs11,
  session: Handle,
  key: { label: string; id: Buffer; point: Buffer },
): void {
  pkcs11.C_CreateObject(session, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
    { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
    { type: pkcs11js.CKA_TOKEN, value: true },
    { type: pkcs11js.CKA_PRIVATE, value: false },
    { type: pkcs11js.CKA_LABEL, value: key.label },
    { type: pkcs11js.CKA_ID, value: key.id },
    { type: pkcs11js.CKA_EC_PARAMS, value: p256Parameters },
    { type: pkcs11js.CKA_EC_POINT, value: key.point },
  ]);
}

/** Removes the public halves that carry an id. */
export function destroyPublicKeys(pkcs11: Pkcs11, session: Handle, id: Buffer): void {
  pkcs11.C_FindObjectsInit(session, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
    { type: pkcs11js.CKA_ID, value: id },
  ]);
  const found = pkcs11.C_FindObjects(session, 8);
  pkcs11.C_FindObjectsFinal(session);
  for (const handle of found) pkcs11.C_DestroyObject(session, handle);
}
