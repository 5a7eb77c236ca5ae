import { createPublicKey } from 'node:crypto';
import pkcs11js from 'pkcs11js';
import { derOctetString, publicKeyBits } from '#crypto';
import type { PublicKey } from '#crypto';
import { fault } from './faults.ts';
import { readPkcs11Error } from './pkcs11-errors.ts';
import {
  objectsOf,
  p256Parameters,
  pairTraits,
  signingTraits,
  unmodifiable,
  withWriting,
} from './pkcs11-key-pairs.ts';
import { checkAttributes } from './pkcs11-keys.ts';
import type { Handle } from './pkcs11-module.ts';
import type { Token } from './pkcs11-token.ts';

const modulusBits = 3072;
const yes = true;
const no = false;

/**
 * Has the token make the RSA pair under which one key is brought to it, unless there is one. Its
 * private half does nothing but unwrap, and does not leave the token.
 *
 * @returns its SubjectPublicKeyInfo.
 */
export function makeWrappingKey(token: Token, label: string): Uint8Array {
  return withWriting(token, (session) => {
    if (objectsOf(token, session, label, pkcs11js.CKO_PRIVATE_KEY).length === 0) {
      generate(token, session, label);
    }
    const [publicKey] = objectsOf(token, session, label, pkcs11js.CKO_PUBLIC_KEY);
    findWrappingKey(token, session, label);
    if (publicKey === undefined) throw fault('HSM_WRAPPING_KEY_ABSENT', { key: label });
    const [modulus, exponent] = token.pkcs11.C_GetAttributeValue(session, publicKey, [
      { type: pkcs11js.CKA_MODULUS },
      { type: pkcs11js.CKA_PUBLIC_EXPONENT },
    ]);
    const [n, e] = [modulus, exponent].map((one) => one?.value?.toString('base64url') ?? '');
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
  });
}

function generate({ pkcs11 }: Token, session: Handle, label: string): void {
  const common = [...pairTraits(pkcs11js.CKK_RSA, label), unmodifiable];
  pkcs11.C_GenerateKeyPair(
    session,
    { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN },
    [
      ...common,
      { type: pkcs11js.CKA_PRIVATE, value: no },
      { type: pkcs11js.CKA_MODULUS_BITS, value: modulusBits },
      { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
      { type: pkcs11js.CKA_ENCRYPT, value: no },
      { type: pkcs11js.CKA_VERIFY, value: no },
      { type: pkcs11js.CKA_WRAP, value: no },
    ],
    [
      ...common,
      { type: pkcs11js.CKA_PRIVATE, value: yes },
      { type: pkcs11js.CKA_SENSITIVE, value: yes },
      { type: pkcs11js.CKA_EXTRACTABLE, value: no },
      { type: pkcs11js.CKA_UNWRAP, value: yes },
      { type: pkcs11js.CKA_DECRYPT, value: no },
      { type: pkcs11js.CKA_SIGN, value: no },
      { type: pkcs11js.CKA_SIGN_RECOVER, value: no },
      { type: pkcs11js.CKA_DERIVE, value: no },
    ],
  );
}

/** With `CKA_DECRYPT` it could be had to say what it unwraps. */
const wrappingDemands = [
  [pkcs11js.CKA_TOKEN, 'CKA_TOKEN', yes],
  [pkcs11js.CKA_PRIVATE, 'CKA_PRIVATE', yes],
  [pkcs11js.CKA_SENSITIVE, 'CKA_SENSITIVE', yes],
  [pkcs11js.CKA_ALWAYS_SENSITIVE, 'CKA_ALWAYS_SENSITIVE', yes],
  [pkcs11js.CKA_EXTRACTABLE, 'CKA_EXTRACTABLE', no],
  [pkcs11js.CKA_NEVER_EXTRACTABLE, 'CKA_NEVER_EXTRACTABLE', yes],
  [pkcs11js.CKA_LOCAL, 'CKA_LOCAL', yes],
  [pkcs11js.CKA_UNWRAP, 'CKA_UNWRAP', yes],
  [pkcs11js.CKA_DECRYPT, 'CKA_DECRYPT', no],
] as const;

/** @throws HSM_WRAPPING_KEY_ABSENT, HSM_KEY_UNSAFE */
function findWrappingKey(token: Token, session: Handle, label: string): Handle {
  const [key, ...more] = objectsOf(token, session, label, pkcs11js.CKO_PRIVATE_KEY);
  if (key === undefined) throw fault('HSM_WRAPPING_KEY_ABSENT', { key: label });
  if (more.length > 0) throw fault('HSM_KEY_AMBIGUOUS', { key: label });
  checkAttributes(token, label, key, wrappingDemands);
  return key;
}

/** A key as it is brought to a token. */
export interface WrappedKey {
  /** Of the wrapping key in the token. */
  readonly wrappingLabel: string;
  /** What CKM_RSA_AES_KEY_WRAP makes of PKCS #8: an AES key under RSA-OAEP, then AES-KWP under that. */
  readonly wrapped: Uint8Array;
  readonly publicKey: PublicKey;
}

/**
 * Has the token unwrap a private key, in two steps, because few tokens know them as one mechanism.
 * Neither key is seen outside the token. Whether it is the one of the public key is not known yet.
 *
 * @throws HSM_WRAPPING_KEY_ABSENT, HSM_KEY_UNSAFE, HSM_IMPORT_FAILED
 * @see PKCS#11 v3.1, 6.1.34 "RSA AES KEY WRAP"; RFC 5649
 */
export function unwrapKeyPair(token: Token, label: string, brought: WrappedKey): void {
  const { pkcs11 } = token;
  const { wrappingLabel, publicKey } = brought;
  const rsaBytes = modulusBits / 8;
  const wrapped = Buffer.from(brought.wrapped);
  withWriting(token, (session) => {
    const wrappingKey = findWrappingKey(token, session, wrappingLabel);
    const transport = unwrapping(label, () =>
      pkcs11.C_UnwrapKey(
        session,
        oaep,
        wrappingKey,
        wrapped.subarray(0, rsaBytes),
        transportTraits,
      ),
    );
    try {
      const common = pairTraits(pkcs11js.CKK_EC, label);
      const mechanism = { mechanism: pkcs11js.CKM_AES_KEY_WRAP_PAD };
      unwrapping(label, () =>
        pkcs11.C_UnwrapKey(session, mechanism, transport, wrapped.subarray(rsaBytes), [
          { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
          ...common,
          ...signingTraits,
          unmodifiable,
        ]),
      );
      pkcs11.C_CreateObject(session, [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
        ...common,
        { type: pkcs11js.CKA_PRIVATE, value: no },
        { type: pkcs11js.CKA_VERIFY, value: yes },
        { type: pkcs11js.CKA_EC_PARAMS, value: p256Parameters },
        {
          type: pkcs11js.CKA_EC_POINT,
          value: Buffer.from(derOctetString(publicKeyBits(publicKey))),
        },
        unmodifiable,
      ]);
    } finally {
      pkcs11.C_DestroyObject(session, transport);
    }
  });
}

/** SHA-1 is what OAEP's users agree on, SoftHSM among them; nothing here rests on its collisions. */
const oaep = {
  mechanism: pkcs11js.CKM_RSA_PKCS_OAEP,
  parameter: {
    type: pkcs11js.CK_PARAMS_RSA_OAEP,
    hashAlg: pkcs11js.CKM_SHA_1,
    mgf: pkcs11js.CKG_MGF1_SHA1,
    /** CKZ_DATA_SPECIFIED. */
    source: 1,
  },
};

/** Of the session that unwraps, and gone with it. */
const transportTraits = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
  { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
  { type: pkcs11js.CKA_TOKEN, value: no },
  { type: pkcs11js.CKA_PRIVATE, value: yes },
  { type: pkcs11js.CKA_SENSITIVE, value: yes },
  { type: pkcs11js.CKA_EXTRACTABLE, value: no },
  { type: pkcs11js.CKA_UNWRAP, value: yes },
  { type: pkcs11js.CKA_ENCRYPT, value: no },
  { type: pkcs11js.CKA_DECRYPT, value: no },
];

/** What a token says of a wrapped key that is not one differs from token to token. */
function unwrapping(label: string, unwrap: () => Handle): Handle {
  try {
    return unwrap();
  } catch (error) {
    throw fault('HSM_IMPORT_FAILED', { key: label, name: readPkcs11Error(error).name }, error);
  }
}
