import { Fault, limits } from '#base';
import type { FaultKind, Log } from '#base';
import {
  BroadcastResponse,
  ChannelHeader,
  Envelope,
  Payload,
  deliverStatuses,
  headerTypes,
} from '#formats';
import type { ConfigUpdates } from './config-updates.ts';
import { fault } from './faults.ts';
import type { GrpcMethod } from './grpc-call.ts';
import type { EnvelopePipeline } from './pipeline-types.ts';

export interface BroadcastParts {
  pipeline: Pick<EnvelopePipeline, 'submitEnvelope'>;
  configUpdates: Pick<ConfigUpdates, 'submit'>;
  log: Log;
}

/**
 * `orderer.AtomicBroadcast/Broadcast`: takes transactions and configuration updates, one after the
 * other, and answers each when it is in a block on disk. As in the stock service, the stream ends
 * behind the first that is refused.
 *
 * @see Fabric orderer/common/broadcast/broadcast.go.
 */
export function broadcastMethod(parts: BroadcastParts): GrpcMethod {
  return {
    kind: 'duplex',
    requestBytesMax: limits.grpcRequestBytesMax,
    async serve(stream) {
      for (;;) {
        const envelope = await stream.next();
        if (envelope === undefined) return;
        const refusal = await refusalOf(envelope, parts);
        const { status, info } = refusal ?? { status: deliverStatuses.success, info: '' };
        await stream.send(BroadcastResponse.encode({ status, info }));
        if (refusal !== undefined) return;
      }
    },
  };
}

async function refusalOf(
  envelope: Uint8Array,
  parts: BroadcastParts,
): Promise<BroadcastResponse | undefined> {
  try {
    await order(envelope, parts);
    return undefined;
  } catch (error) {
    const known = error instanceof Fault ? error : fault('MANAGER_CALL_FAILED', {}, error);
    logRefusal(parts.log, known);
    const { code, kind, message, detail } = known;
    const reason = detail['reason'] ?? detail['what'];
    const info = isOurs(kind) || reason === undefined ? message : `${message} (${reason})`;
    return { status: statusOfKind[kind], info: `${info} [${code}]` };
  }
}

async function order(
  envelope: Uint8Array,
  { pipeline, configUpdates }: BroadcastParts,
): Promise<void> {
  const isUpdate = typeOf(envelope) === headerTypes.configUpdate;
  const submission = isUpdate ? configUpdates.submit(envelope) : pipeline.submitEnvelope(envelope);
  submission.committed.catch(() => {});
  await submission.accepted;
}

/** @throws MANAGER_ENVELOPE_MALFORMED */
function typeOf(bytes: Uint8Array): number {
  try {
    const { header } = Payload.decode(Envelope.decode(bytes).payload);
    if (header === undefined) throw fault('MANAGER_ENVELOPE_MALFORMED', { what: 'header' });
    return ChannelHeader.decode(header.channelHeader).type;
  } catch (cause) {
    if (!(cause instanceof Fault) || !cause.code.startsWith('FORMATS_')) throw cause;
    throw fault('MANAGER_ENVELOPE_MALFORMED', { ...cause.detail }, cause);
  }
}

/** A client may come again with a 503, and only with that. */
const statusOfKind: Readonly<Record<FaultKind, number>> = {
  malformed: deliverStatuses.badRequest,
  conflict: deliverStatuses.badRequest,
  unauthenticated: deliverStatuses.forbidden,
  denied: deliverStatuses.forbidden,
  absent: deliverStatuses.notFound,
  busy: deliverStatuses.serviceUnavailable,
  broken: deliverStatuses.serviceUnavailable,
  fatal: deliverStatuses.serviceUnavailable,
};

function isOurs(kind: FaultKind): boolean {
  return kind === 'broken' || kind === 'fatal';
}

function logRefusal(log: Log, { code, kind, detail, cause }: Fault): void {
  if (isOurs(kind)) log.error({ code, ...detail, err: cause }, 'An envelope was not ordered.');
  else log.info({ code, ...detail }, 'An envelope was refused.');
}
