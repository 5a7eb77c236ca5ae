import { limits } from '#base';
import { BroadcastResponse, deliverStatuses } from '#formats';
import { serveDeliver } from './deliver-session.ts';
import type { DeliverSource } from './deliver-session.ts';
import type { GrpcMethod, GrpcServices, GrpcStream } from './grpc-call.ts';

/**
 * The ordering service, `orderer.AtomicBroadcast`: Deliver, from which peers pull their blocks, and
 * Broadcast.
 *
 * @see fabric-protos orderer/ab.proto.
 */
export function ordererService(
  source: DeliverSource,
  broadcast: GrpcMethod = refusedBroadcast,
): GrpcServices {
  const deliver: GrpcMethod = {
    kind: 'duplex',
    requestBytesMax: limits.deliverRequestBytesMax,
    serve: (stream) => serveDeliver(stream, source),
  };
  return { 'orderer.AtomicBroadcast': { Deliver: deliver, Broadcast: broadcast } };
}

/** Transactions reach the zone as requests; until they may come as envelopes, this says so. */
const refusedBroadcast: GrpcMethod = {
  kind: 'duplex',
  requestBytesMax: limits.grpcRequestBytesMax,
  serve: refuseBroadcast,
};

async function refuseBroadcast(stream: GrpcStream): Promise<void> {
  if ((await stream.next()) === undefined) return;
  const info = 'This service takes signed requests, not envelopes.';
  await stream.send(BroadcastResponse.encode({ status: deliverStatuses.notImplemented, info }));
}
