import { limits } from '#base';
import { BroadcastResponse, deliverStatuses } from '#formats';
import type { Ledger } from '#ledger';
import { ordererForm, peerForms } from './block-forms.ts';
import type { BlockForm } from './block-forms.ts';
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
  source: OrdererSource,
  broadcast: GrpcMethod = refusedBroadcast,
): GrpcServices {
  const deliver = deliverMethod(source, ordererForm(source.ledger));
  return { 'orderer.AtomicBroadcast': { Deliver: deliver, Broadcast: broadcast } };
}

export interface OrdererSource extends DeliverSource {
  ledger: DeliverSource['ledger'] & Pick<Ledger, 'rawBlock'>;
}

/**
 * Blocks with their final codes for clients, as a peer has them: `protos.Deliver`.
 *
 * @see fabric-protos peer/events.proto.
 */
export function peerDeliverService(source: PeerDeliverSource): GrpcServices {
  const forms = peerForms(source.ledger);
  return {
    'protos.Deliver': {
      Deliver: deliverMethod(source, forms.whole),
      DeliverFiltered: deliverMethod(source, forms.filtered),
      DeliverWithPrivateData: deliverMethod(source, forms.withPrivateData),
    },
  };
}

export interface PeerDeliverSource extends DeliverSource {
  ledger: DeliverSource['ledger'] & Pick<Ledger, 'block'>;
}

function deliverMethod(source: DeliverSource, form: BlockForm): GrpcMethod {
  return {
    kind: 'duplex',
    requestBytesMax: limits.deliverRequestBytesMax,
    serve: (stream) => serveDeliver(stream, source, form),
  };
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
