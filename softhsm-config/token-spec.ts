import { Type, limits } from '#base';
import type { Static } from '#base';

const name = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 64,
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    description,
  });

const Subject = Type.Object(
  {
    commonName: name('CN of the certificate request'),
    organization: Type.Optional(name('O')),
    organizationalUnits: Type.Optional(
      Type.Array(name('OU; with NodeOUs one of them is the role'), { maxItems: 4 }),
    ),
  },
  { additionalProperties: false },
);

/** The token to be made, or the one to be listed. */
export const ProvisionSpec = Type.Object(
  {
    dir: Type.String({ minLength: 1, description: 'made by this; must not hold anything yet' }),
    label: Type.String({
      minLength: 1,
      maxLength: 32,
      pattern: '^[A-Za-z0-9._-]+$',
      description: 'CKA_LABEL of the token: PKCS#11 gives it 32 bytes, padded with blanks',
    }),
    module: Type.Optional(Type.String({ description: 'path of the PKCS#11 module' })),
    keys: Type.Array(
      Type.Object(
        { label: name('CKA_LABEL of the pair'), role: name('carried through'), subject: Subject },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: limits.tokenKeysMax / 2 },
    ),
  },
  { additionalProperties: false },
);
export type ProvisionSpec = Static<typeof ProvisionSpec>;

export interface ProvisionedKey {
  readonly label: string;
  readonly role: string;
  /** SubjectPublicKeyInfo, DER in hex. */
  readonly publicKey: string;
  /** PKCS#10 request signed by the key itself, DER in hex. */
  readonly csr: string;
}

/** A key pair as the token describes it. */
export interface ListedKey {
  readonly label: string;
  /** CKA_ID in hex. */
  readonly id: string;
  /** SubjectPublicKeyInfo, DER in hex; empty when the token holds no public half. */
  readonly publicKey: string;
  readonly attributes: {
    readonly token: boolean;
    readonly private: boolean;
    readonly sensitive: boolean;
    readonly alwaysSensitive: boolean;
    readonly extractable: boolean;
    readonly neverExtractable: boolean;
    readonly local: boolean;
    readonly modifiable: boolean;
    readonly sign: boolean;
    readonly decrypt: boolean;
  };
}
