/** Messages of fabric-protos orderer/ab.proto. */
import { Block } from './fabric-common.ts';
import { message } from './protobuf.ts';
import type { MessageOf } from './protobuf.ts';
import { int32, nested, optionalInt32, text, uint64 } from './protobuf-fields.ts';

/** common.Status: HTTP's numbers. */
export const deliverStatuses = {
  success: 200,
  badRequest: 400,
  forbidden: 403,
  notFound: 404,
  requestEntityTooLarge: 413,
  internalServerError: 500,
  notImplemented: 501,
  serviceUnavailable: 503,
} as const;

const Empty = message('orderer.SeekNewest', {});
export const SeekSpecified = message('orderer.SeekSpecified', { number: uint64(1) });
export const SeekPosition = message(
  'orderer.SeekPosition',
  {
    newest: nested(1, () => Empty),
    oldest: nested(2, () => Empty),
    specified: nested(3, () => SeekSpecified),
    nextCommit: nested(4, () => Empty),
  },
  [['newest', 'oldest', 'specified', 'nextCommit']],
);
export type SeekPosition = MessageOf<typeof SeekPosition>;

export const seekBehaviors = { blockUntilReady: 0, failIfNotReady: 1 } as const;
export const seekContentTypes = { block: 0, headerWithSignature: 1 } as const;

export const SeekInfo = message('orderer.SeekInfo', {
  start: nested(1, () => SeekPosition),
  stop: nested(2, () => SeekPosition),
  behavior: int32(3),
  errorResponse: int32(4),
  contentType: int32(5),
});
export type SeekInfo = MessageOf<typeof SeekInfo>;

export const DeliverResponse = message(
  'orderer.DeliverResponse',
  { status: optionalInt32(1), block: nested(2, () => Block) },
  [['status', 'block']],
);
export type DeliverResponse = MessageOf<typeof DeliverResponse>;

export const BroadcastResponse = message('orderer.BroadcastResponse', {
  status: int32(1),
  info: text(2),
});
export type BroadcastResponse = MessageOf<typeof BroadcastResponse>;
