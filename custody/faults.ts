import { declareFaults } from '#base';

export const fault = declareFaults({
  CUSTODY_DOCUMENT_TOO_LARGE: ['malformed', 'The custody document is larger than allowed.'],
  CUSTODY_DOCUMENT_INVALID: [
    'malformed',
    'The custody document does not have its prescribed form.',
  ],
  CUSTODY_POLICY_INVALID: ['malformed', 'The operator policy contradicts itself.'],
  CUSTODY_ORDER_ZONE_WRONG: ['denied', 'The order is meant for another zone.'],
  CUSTODY_ORDER_TOKEN_WRONG: ['denied', 'The order is meant for another token.'],
  CUSTODY_ORDER_POLICY_WRONG: ['denied', 'The order was approved under another operator policy.'],
  CUSTODY_ORDER_REPLAYED: ['conflict', 'An order with this number was carried out before.'],
  CUSTODY_ORDER_EARLIER_MISSING: ['conflict', 'An order with a lower number is still to come.'],
  CUSTODY_ORDER_EXPIRED: ['denied', 'The order has expired.'],
  CUSTODY_ORDER_NOT_YET_VALID: ['denied', 'The order is not valid yet.'],
  CUSTODY_ORDER_LIFETIME_INVALID: ['malformed', 'The order is valid for no time, or for too long.'],
  CUSTODY_ORDER_UNKNOWN: ['absent', 'This host does not carry out orders of this kind.'],
  CUSTODY_IMPORT_REFUSED: [
    'denied',
    'The operator policy does not name this key as one that may be brought to the token.',
  ],
  CUSTODY_ORDERS_WAITING: ['busy', 'Too many orders wait for the end of their time-lock.'],
  CUSTODY_ORDERS_QUEUED: ['busy', 'Other orders are being carried out; submit this one again.'],
  CUSTODY_METHOD_UNKNOWN: ['malformed', 'There is no such call about orders.'],
  CUSTODY_POLICY_FOREIGN: [
    'fatal',
    'The operator policy is not the one that the audit log tells of; only an order changes it.',
  ],
  CUSTODY_CLOCK_TURNED_BACK: ['denied', 'The clock shows less than at the last recorded step.'],
  CUSTODY_APPROVALS_TOO_FEW: ['denied', 'Fewer operators approved than the policy demands.'],
  CUSTODY_APPROVAL_TWICE: ['denied', 'One operator or one key approved twice.'],
  CUSTODY_OPERATOR_UNKNOWN: ['denied', 'The approval is of somebody who is no operator.'],
  CUSTODY_APPROVAL_INVALID: ['denied', 'The approval is not of this document by this operator.'],
  CUSTODY_KEY_STATE_DENIED: ['conflict', 'A key in this state does not go into that state.'],
  CUSTODY_AUDIT_BROKEN: ['broken', 'The audit log does not continue where it ended.'],
  CUSTODY_AUDIT_READONLY: [
    'broken',
    'The audit log cannot be written; nothing is done without it.',
  ],
  CUSTODY_AUDIT_FULL: ['busy', 'No space is left for the audit log; nothing was done.'],
  CUSTODY_AUDIT_ORDER_INVALID: [
    'malformed',
    'The audit log tells of an order that could not have been carried out like this.',
  ],
  CUSTODY_AUDIT_LINE_INVALID: ['malformed', 'A line of the audit log is no record.'],
  CUSTODY_AUDIT_CHAIN_BROKEN: [
    'malformed',
    'A record of the audit log does not follow the one before.',
  ],
  CUSTODY_AUDIT_TIME_BACK: ['malformed', 'A record of the audit log is older than the one before.'],
  CUSTODY_AUDIT_CHECKPOINT_INVALID: [
    'malformed',
    'A checkpoint of the audit log has no valid signature.',
  ],
  CUSTODY_AUDIT_UNSIGNED: ['malformed', 'No checkpoint of the audit log is signed by these keys.'],
  CUSTODY_AUDIT_TRUNCATED: [
    'malformed',
    'The audit log lacks records that are known to have been.',
  ],
  CUSTODY_CEREMONY_INVALID: [
    'malformed',
    'The transcript is not that of a ceremony as prescribed.',
  ],
});
