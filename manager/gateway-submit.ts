import { Fault, limits } from '#base';
import { Envelope, SubmitRequest, SubmitResponse } from '#formats';
import type { ChannelConfig } from '#policy';
import type { GrpcMethod } from './grpc-call.ts';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import type { EnvelopePipeline } from './pipeline-types.ts';

export interface GatewaySubmitParts {
  channelConfig: () => ChannelConfig;
  pipeline: EnvelopePipeline;
}

/**
 * `gateway.Gateway/Submit`: orders a signed transaction, and answers once it is sure to be in the
 * chain. A transaction that was ordered before is not ordered again.
 *
 * @see Fabric internal/pkg/gateway/submit.go; orderer/common/msgprocessor.
 */
export function submitMethod({ channelConfig, pipeline }: GatewaySubmitParts): GrpcMethod {
  return {
    kind: 'unary',
    requestBytesMax: limits.grpcRequestBytesMax,
    async serve(bytes) {
      const { channelId, preparedTransaction } = readRequest(bytes);
      if (preparedTransaction === undefined) {
        throw new CallFailure(grpcCodes.invalidArgument, 'a prepared transaction is required');
      }
      if (preparedTransaction.signature.length === 0) {
        const sentence = 'prepared transaction must be signed';
        throw new CallFailure(grpcCodes.invalidArgument, sentence);
      }
      if (channelId !== channelConfig().channelId) {
        const sentence = `failed to get config for channel [${channelId}]: the channel is not served here`;
        throw new CallFailure(grpcCodes.failedPrecondition, sentence);
      }
      await order(pipeline, Envelope.encode(preparedTransaction));
      return SubmitResponse.encode({});
    },
  };
}

function readRequest(bytes: Uint8Array): SubmitRequest {
  try {
    return SubmitRequest.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new CallFailure(grpcCodes.invalidArgument, cause.message, [], cause);
  }
}

async function order(pipeline: EnvelopePipeline, envelope: Uint8Array): Promise<void> {
  try {
    await pipeline.submitEnvelope(envelope).accepted;
  } catch (error) {
    const status = error instanceof Fault ? ordererStatuses[error.kind] : undefined;
    if (!(error instanceof Fault) || status === undefined) throw error;
    const info = `${error.message} (${error.code})`;
    const sentence = `received unsuccessful response from orderer: status=${status}, info=${info}`;
    throw new CallFailure(grpcCodes.aborted, sentence, [], error);
  }
}

/** What an orderer would answer, in the words of common.Status. */
const ordererStatuses: Partial<Record<Fault['kind'], string>> = {
  malformed: 'BAD_REQUEST',
  unauthenticated: 'FORBIDDEN',
  denied: 'FORBIDDEN',
  absent: 'NOT_FOUND',
};
