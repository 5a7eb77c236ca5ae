import { Fault, limits } from '#base';
import type { Message } from '#formats';
import type { SignedData } from '#policy';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import type { AccessSource } from './reader-access.ts';

/** A request to read that a client has signed: gateway.Signed…Request. */
interface SignedRead<Request> {
  request: Request;
  signed: SignedData;
}

/**
 * Reads a signed request of the gateway's. The signature is the caller's to check.
 *
 * @param what the request in Fabric's words, for the client's developer.
 * @throws CallFailure INVALID_ARGUMENT
 */
export function parseSignedRead<Request extends { identity: Uint8Array }>(
  bytes: Uint8Array,
  outer: Message<{ request: Uint8Array; signature: Uint8Array }>,
  inner: Message<Request>,
  what: string,
): SignedRead<Request> {
  const { request: data, signature } = readOrRefuse(outer, bytes, what);
  if (data.length === 0) {
    throw new CallFailure(grpcCodes.invalidArgument, `a ${what} request is required`);
  }
  const request = readOrRefuse(inner, data, what);
  return { request, signed: { identity: request.identity, data, signature } };
}

function readOrRefuse<Value>(message: Message<Value>, bytes: Uint8Array, what: string): Value {
  try {
    return message.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new CallFailure(grpcCodes.invalidArgument, `invalid ${what} request`, [], cause);
  }
}

/**
 * A stock gateway asks a channel's policy first, and where there is no channel, none says yes.
 *
 * @throws CallFailure PERMISSION_DENIED
 */
export function checkChannel(channelId: string, { channelConfig }: AccessSource): void {
  if (channelId === channelConfig().channelId) return;
  const shown = channelId.slice(0, limits.nameBytes);
  throw new CallFailure(grpcCodes.permissionDenied, `no policy of channel ${shown} allows it`);
}
