import { Fault, Type, concatBytes, equalBytes, fromBase64Url, toBase64Url, utf8 } from '#base';
import type { Static } from '#base';
import { derToRaw, sha256, verifyJose } from '#crypto';
import type { JoseAlgorithm, KeyKind, PublicKey } from '#crypto';
import { parseStrictJson } from '#formats';
import { fault } from './faults.ts';
import type { Operator, OperatorPolicy } from './operator-policy.ts';

const part = Type.String({ pattern: '^[A-Za-z0-9_-]*$', maxLength: 8192 });

/** A WebAuthn assertion over a document; the parts are base64url. A software key signs the same bytes. */
export const Approval = Type.Object(
  {
    operator: Type.String({ minLength: 1, maxLength: 64 }),
    authenticatorData: part,
    clientDataJSON: part,
    /** ECDSA: DER; EdDSA: 64 bytes; RSA: PKCS #1 v1.5. */
    signature: part,
  },
  { additionalProperties: false },
);
export type Approval = Static<typeof Approval>;

/** What an approval is checked against besides the document. */
export type ApprovalRules = Pick<OperatorPolicy, 'relyingPartyId' | 'origin' | 'userVerification'>;

/** Of the flags in an authenticator's data. */
export const userPresent = 0x01;
export const userVerified = 0x04;
const authenticatorDataBytesMin = 37;

/**
 * Checks that an operator approved exactly this document.
 *
 * @param document its bytes; their SHA-256 is the assertion's challenge.
 * @throws CUSTODY_APPROVAL_INVALID
 * @see WebAuthn Level 2, section 7.2, steps 11 to 20. Counters are not kept: synchronised keys have none.
 */
export function checkApproval(
  approval: Approval,
  operator: Operator,
  document: Uint8Array,
  rules: ApprovalRules,
): void {
  const invalid = (why: string) =>
    fault('CUSTODY_APPROVAL_INVALID', { operator: operator.id, why });
  const authenticatorData = fromBase64Url(approval.authenticatorData);
  const clientData = fromBase64Url(approval.clientDataJSON);
  const signature = fromBase64Url(approval.signature);
  if (authenticatorData === undefined || clientData === undefined || signature === undefined) {
    throw invalid('encoding');
  }
  const client = parseStrictJson(clientData, () => invalid('clientDataJSON'));
  const said = client as Readonly<Record<string, unknown>> | null;
  if (said?.['type'] !== 'webauthn.get') throw invalid('type');
  if (said['challenge'] !== toBase64Url(sha256(document))) throw invalid('challenge');
  if (said['origin'] !== rules.origin) throw invalid('origin');
  if (said['crossOrigin'] === true) throw invalid('crossOrigin');
  if (authenticatorData.length < authenticatorDataBytesMin) throw invalid('authenticatorData');
  const relyingParty = sha256(utf8(rules.relyingPartyId));
  if (!equalBytes(authenticatorData.subarray(0, 32), relyingParty)) throw invalid('relying party');
  const flags = authenticatorData[32] ?? 0;
  if ((flags & userPresent) === 0) throw invalid('user presence');
  if (rules.userVerification && (flags & userVerified) === 0) throw invalid('user verification');
  const signed = concatBytes(authenticatorData, sha256(clientData));
  if (!isSignedBy(operator.publicKey, signed, signature)) throw invalid('signature');
}

interface AlgorithmRow {
  jose: JoseAlgorithm;
  /** WebAuthn has ECDSA signatures in DER, JOSE as two numbers of this width. */
  fieldBytes?: number;
}

const algorithms: Readonly<Partial<Record<KeyKind, AlgorithmRow>>> = {
  'P-256': { jose: 'ES256', fieldBytes: 32 },
  'P-384': { jose: 'ES384', fieldBytes: 48 },
  Ed25519: { jose: 'EdDSA' },
  RSA: { jose: 'RS256' },
};

/** Whether the key is of a kind that WebAuthn signs with. */
export function canApprove(key: PublicKey): boolean {
  return algorithms[key.kind] !== undefined;
}

function isSignedBy(key: PublicKey, signed: Uint8Array, signature: Uint8Array): boolean {
  const row = algorithms[key.kind];
  if (row === undefined) return false;
  const { jose, fieldBytes } = row;
  if (fieldBytes === undefined) return verifyJose(jose, key, signed, signature);
  try {
    return verifyJose(jose, key, signed, derToRaw(signature, fieldBytes));
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}
