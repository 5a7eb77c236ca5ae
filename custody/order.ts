import { Type, fromBase64Url, limits, toBase64Url, toHex } from '#base';
import type { Static } from '#base';
import { sha256 } from '#crypto';
import { Approval } from './approval.ts';
import { documentReader } from './document.ts';
import { fault } from './faults.ts';
import { orderActions } from './operator-policy.ts';

const seconds = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const OrderPayload = Type.Object(
  {
    typ: Type.Literal('countersign-order/1'),
    zone: Type.String({ minLength: 1, maxLength: limits.nameBytes }),
    /** Label of the token whose host carries it out: approved for one, it is no order to another. */
    token: Type.String({ minLength: 1, maxLength: limits.nameBytes }),
    /** SHA-256 of the operator policy, hex. */
    policy: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Orders to a token are numbered from 1 without gap: none comes twice, none overtakes. */
    sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    action: Type.Enum([...orderActions]),
    parameters: Type.Record(
      Type.String({ pattern: '^[a-z][A-Za-z0-9]*$', maxLength: limits.nameBytes }),
      Type.String({ maxLength: limits.orderParameterBytesMax }),
    ),
    /** Times in seconds since the Unix epoch. */
    notBefore: seconds,
    expiresAt: seconds,
  },
  { additionalProperties: false },
);
export type OrderPayload = Static<typeof OrderPayload>;

/** An order as the operators approved it. */
export interface Order {
  readonly payload: OrderPayload;
  /** The bytes that were approved. */
  readonly bytes: Uint8Array;
  /** SHA-256 of them, lower-case hex: the order's name in the audit log. */
  readonly hash: string;
}

export interface SignedOrder extends Order {
  readonly approvals: readonly Approval[];
  /** All of it as received: the audit log keeps these, so that whoever reads it can check them. */
  readonly signedBytes: Uint8Array;
}

const readPayload = documentReader(OrderPayload, 'order');

const readSigned = documentReader(
  Type.Object(
    {
      /** Base64url of the order's bytes. */
      order: Type.String({ pattern: '^[A-Za-z0-9_-]+$' }),
      approvals: Type.Array(Approval, { maxItems: limits.operatorsMax }),
    },
    { additionalProperties: false },
  ),
  'signed order',
);

/** @throws CUSTODY_DOCUMENT_…, CUSTODY_ORDER_LIFETIME_INVALID */
export function parseOrder(bytes: Uint8Array): Order {
  const payload = readPayload(bytes);
  const lifetimeSeconds = payload.expiresAt - payload.notBefore;
  if (lifetimeSeconds <= 0 || lifetimeSeconds > limits.orderLifetimeSecondsMax) {
    throw fault('CUSTODY_ORDER_LIFETIME_INVALID', { lifetimeSeconds });
  }
  return { payload, bytes, hash: toHex(sha256(bytes)) };
}

/** Reads an order with its approvals; nothing of them is checked yet: see `authorise`. */
export function parseSignedOrder(bytes: Uint8Array): SignedOrder {
  if (bytes.length > limits.signedOrderBytesMax) {
    throw fault('CUSTODY_DOCUMENT_TOO_LARGE', { what: 'signed order', bytes: bytes.length });
  }
  const { order, approvals } = readSigned(bytes);
  const orderBytes = fromBase64Url(order);
  if (orderBytes === undefined) throw fault('CUSTODY_DOCUMENT_INVALID', { what: 'signed order' });
  return { ...parseOrder(orderBytes), approvals, signedBytes: bytes };
}

/** @returns the JSON text that `parseSignedOrder` reads. */
export function writeSignedOrder(order: Uint8Array, approvals: readonly Approval[]): string {
  return `${JSON.stringify({ order: toBase64Url(order), approvals }, undefined, 2)}\n`;
}
