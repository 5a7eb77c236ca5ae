import { declareFaults } from '#base';

/** Makes the faults of crypto/; see docs/ERRORS.md. */
export const fault = declareFaults({
  CRYPTO_DER_MALFORMED: ['malformed', 'The bytes are not strict DER of the expected shape.'],
  CRYPTO_KEY_INVALID: ['malformed', 'The public key is malformed or weak.'],
  CRYPTO_KEY_UNSUPPORTED: ['malformed', 'The kind of public key is not supported.'],
  CRYPTO_ALGORITHM_MISMATCH: [
    'unauthenticated',
    'The signature algorithm does not belong to this kind of key.',
  ],
  CRYPTO_SIGNATURE_MALFORMED: ['malformed', 'The signature is not encoded as it has to be.'],
  CRYPTO_SIGNATURE_INVALID: ['unauthenticated', 'The signature does not verify.'],
  CRYPTO_PEM_MALFORMED: ['malformed', 'The text is not PEM of the expected shape.'],
  CRYPTO_CERTIFICATE_MALFORMED: ['malformed', 'The certificate cannot be read.'],
  CRYPTO_CRL_MALFORMED: ['malformed', 'The certificate revocation list cannot be read.'],
  CRYPTO_CSR_MALFORMED: ['malformed', 'The certificate request cannot be read.'],
  CRYPTO_SUBJECT_INVALID: ['malformed', 'The certificate cannot be made from these values.'],
  CRYPTO_CHAIN_UNTRUSTED: ['unauthenticated', 'The certificate does not chain to a trusted root.'],
  CRYPTO_CHAIN_EXPIRED: [
    'unauthenticated',
    'A certificate of the chain is not valid at the time asked for.',
  ],
  CRYPTO_CHAIN_INVALID: [
    'unauthenticated',
    'A certificate of the chain may not be used where it stands.',
  ],
  CRYPTO_CHAIN_TOO_LONG: ['unauthenticated', 'The certificate chain has too many certificates.'],
  CRYPTO_TREE_RANGE: ['malformed', 'The index or size lies outside the Merkle tree.'],
});
