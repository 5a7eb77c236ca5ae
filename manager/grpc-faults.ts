import { Metadata } from '@grpc/grpc-js';
import { Fault, grpcStatusOf, limits, utf8 } from '#base';
import type { FaultKind, Log } from '#base';
import { ErrorDetail, RpcStatus } from '#formats';
import { fault } from './faults.ts';

/** gRPC's status codes that a Fabric gateway answers with (numbers of grpc/status.h). */
export const grpcCodes = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;
export type GrpcCode = (typeof grpcCodes)[keyof typeof grpcCodes];

/** A call that ends as Fabric's own service ends it, where the kind of a fault would say otherwise. */
export class CallFailure extends Error {
  readonly grpcCode: GrpcCode;
  /** One for each place that had a part in the failure. */
  readonly details: readonly ErrorDetail[];

  constructor(
    grpcCode: GrpcCode,
    sentence: string,
    details: readonly ErrorDetail[] = [],
    cause?: unknown,
  ) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'CallFailure';
    this.grpcCode = grpcCode;
    this.details = details;
  }
}

/** What ends a call: grpc-js takes it for an error, and its client reads code, text and details. */
export interface CallStatus extends Error {
  code: GrpcCode;
  details: string;
  metadata: Metadata;
}

/**
 * The status that a client is given for an error. Of one inside the service it learns the fault's
 * code alone.
 *
 * @param details in the trailer `grpc-status-details-bin`; a `CallFailure` brings its own.
 * @see google/rpc/status.proto; Fabric's SDKs read every detail as a gateway.ErrorDetail.
 */
export function statusOf(error: unknown, details: readonly ErrorDetail[] = []): CallStatus {
  if (error instanceof CallFailure) {
    return callStatus(error.grpcCode, error.message, [...error.details, ...details]);
  }
  const { code, kind, message } = asFault(error);
  const sentence = isOurs(kind) ? 'The service failed inside.' : message;
  return callStatus(grpcStatusOf[kind] as GrpcCode, `${sentence} (${code})`, details);
}

/** Logs a failed call, once: here, where it is answered. */
export function logFailure(log: Log, method: string, error: unknown): void {
  if (error instanceof CallFailure) {
    log.info({ method, grpcCode: error.grpcCode, err: error.cause }, 'A call was refused.');
    return;
  }
  const { code, kind, detail } = asFault(error);
  if (isOurs(kind))
    log[kind === 'fatal' ? 'fatal' : 'error']({ code, method, err: error }, 'A call failed.');
  else {
    const audited = kind === 'denied' ? log.child({ part: 'audit' }) : log;
    audited[kind === 'busy' ? 'warn' : 'info']({ code, method, ...detail }, 'A call was refused.');
  }
}

function asFault(error: unknown): Fault {
  return error instanceof Fault ? error : fault('MANAGER_CALL_FAILED', {}, error);
}

function isOurs(kind: FaultKind): boolean {
  return kind === 'broken' || kind === 'fatal';
}

function callStatus(code: GrpcCode, text: string, details: readonly ErrorDetail[]): CallStatus {
  const message = cut(text, limits.grpcMessageBytesMax);
  const metadata = new Metadata();
  if (details.length > 0) {
    metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(code, message, details)));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

/** As many details as a client's limit on headers leaves room for. */
function encodeStatus(
  code: GrpcCode,
  message: string,
  details: readonly ErrorDetail[],
): Uint8Array {
  const told: { typeUrl: string; value: Uint8Array }[] = [];
  let bytes = 0;
  for (const { address, mspId, message: text } of details) {
    const shortened = cut(text, limits.contractMessageBytesMax);
    const value = ErrorDetail.encode({ address, mspId, message: shortened }).slice();
    bytes += value.length;
    if (bytes > limits.grpcDetailsBytesMax) break;
    told.push({ typeUrl: errorDetailType, value });
  }
  return RpcStatus.encode({ code, message, details: told });
}

const errorDetailType = 'type.googleapis.com/gateway.ErrorDetail';

/** The longest start of a text that fits, cut between characters. */
function cut(text: string, bytesMax: number): string {
  if (utf8(text).length <= bytesMax) return text;
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += utf8(character).length;
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept;
}
