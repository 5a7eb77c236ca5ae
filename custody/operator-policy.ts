import { Type, limits, toHex } from '#base';
import { importPublicKey, pemBlocks, sha256 } from '#crypto';
import type { PublicKey } from '#crypto';
import { canApprove } from './approval.ts';
import { documentReader } from './document.ts';
import { fault } from './faults.ts';

/** What operators can order. Whatever is not listed here cannot be ordered. */
export const orderActions = [
  'key.generate',
  'key.certify',
  'key.activate',
  'key.rotate',
  'key.import',
  'key.compromised',
  'key.destroy',
  'guard.import',
  'guard.reset',
  'policy.change',
] as const;
export type OrderAction = (typeof orderActions)[number];

export interface Operator {
  readonly id: string;
  readonly publicKey: PublicKey;
}

/** What one action asks of the operators. */
export interface OrderRule {
  /** Distinct operators who have to approve; never fewer than two. */
  readonly approvals: number;
  /** Time between the zone's first sight of the order and its execution. */
  readonly delaySeconds: number;
}

/** Who may order what in a zone. */
export interface OperatorPolicy {
  readonly zone: string;
  /** SHA-256 of the policy's bytes, lower-case hex: orders name the policy they were approved under. */
  readonly hash: string;
  /** WebAuthn's relying party and origin, for operators whose key is a security key. */
  readonly relyingPartyId: string;
  readonly origin: string;
  /** Whether a security key must have asked for a PIN or a finger. */
  readonly userVerification: boolean;
  readonly operators: ReadonlyMap<string, Operator>;
  ruleOf(action: OrderAction): OrderRule;
  /** Whether a key may be brought from outside as a version of `key`; without a fingerprint, whether any. */
  mayImport(key: string, fingerprint?: string): boolean;
}

/** Whatever cannot be taken back waits this long unless the policy says otherwise. */
const dangerous: ReadonlySet<OrderAction> = new Set([
  'guard.import',
  'guard.reset',
  'policy.change',
  'key.import',
]);
const dangerousDelaySeconds = 3600;
const approvalsMin = 2;

const Rule = Type.Object(
  {
    approvals: Type.Integer({ minimum: approvalsMin, maximum: limits.operatorsMax }),
    delaySeconds: Type.Integer({ minimum: 0, maximum: limits.orderLifetimeSecondsMax }),
  },
  { additionalProperties: false },
);

const name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]*$', maxLength: limits.nameBytes });

const readPolicy = documentReader(
  Type.Object(
    {
      typ: Type.Literal('countersign-operators/1'),
      zone: name,
      relyingPartyId: Type.String({ minLength: 1, maxLength: 253 }),
      origin: Type.String({ minLength: 1, maxLength: 300 }),
      userVerification: Type.Boolean(),
      operators: Type.Array(
        Type.Object({ id: name, publicKey: Type.String() }, { additionalProperties: false }),
        { minItems: approvalsMin, maxItems: limits.operatorsMax },
      ),
      approvals: Type.Integer({ minimum: approvalsMin, maximum: limits.operatorsMax }),
      rules: Type.Record(Type.Enum(orderActions), Rule),
      /** Private keys that may be brought to a token; absent: none, whoever orders it. */
      imports: Type.Optional(
        Type.Array(
          Type.Object(
            { key: name, fingerprint: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
            { additionalProperties: false },
          ),
          { maxItems: limits.tokenKeysMax },
        ),
      ),
    },
    { additionalProperties: false },
  ),
  'operator policy',
);

/**
 * Reads an operator policy.
 *
 * @param bytes JSON; public keys are SubjectPublicKeyInfo in PEM.
 * @throws CUSTODY_DOCUMENT_…, CUSTODY_POLICY_INVALID
 */
export function parseOperatorPolicy(bytes: Uint8Array): OperatorPolicy {
  const read = readPolicy(bytes);
  const operators = new Map<string, Operator>();
  const fingerprints = new Set<string>();
  for (const { id, publicKey } of read.operators) {
    const operator = { id, publicKey: importKey(id, publicKey) };
    if (operators.has(id))
      throw fault('CUSTODY_POLICY_INVALID', { operator: id, why: 'named twice' });
    // One person with two names would be two of the m.
    if (fingerprints.has(operator.publicKey.fingerprint)) {
      throw fault('CUSTODY_POLICY_INVALID', { operator: id, why: 'key of another operator' });
    }
    operators.set(id, operator);
    fingerprints.add(operator.publicKey.fingerprint);
  }
  const rules = read.rules as Partial<Record<OrderAction, OrderRule>>;
  for (const { approvals } of [read, ...Object.values(rules)]) {
    if (approvals > operators.size) {
      throw fault('CUSTODY_POLICY_INVALID', { approvals, why: 'more approvals than operators' });
    }
  }
  const { imports = [] } = read;
  return {
    zone: read.zone,
    hash: toHex(sha256(bytes)),
    relyingPartyId: read.relyingPartyId,
    origin: read.origin,
    userVerification: read.userVerification,
    operators,
    ruleOf: (action) =>
      rules[action] ?? {
        approvals: read.approvals,
        delaySeconds: dangerous.has(action) ? dangerousDelaySeconds : 0,
      },
    mayImport: (key, fingerprint) =>
      imports.some(
        (one) => one.key === key && one.fingerprint === (fingerprint ?? one.fingerprint),
      ),
  };
}

function importKey(operator: string, pem: string): PublicKey {
  try {
    const [spki, ...more] = pemBlocks(pem, 'PUBLIC KEY');
    if (spki !== undefined && more.length === 0) {
      const key = importPublicKey(spki);
      if (canApprove(key)) return key;
    }
  } catch (cause) {
    throw fault('CUSTODY_POLICY_INVALID', { operator, why: 'public key' }, cause);
  }
  throw fault('CUSTODY_POLICY_INVALID', { operator, why: 'public key' });
}
