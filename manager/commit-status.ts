import { limits } from '#base';
import { CommitStatusRequest, CommitStatusResponse, SignedCommitStatusRequest } from '#formats';
import type { CommitWaits } from './commit-waits.ts';
import type { GrpcMethod } from './grpc-call.ts';
import { CallFailure, grpcCodes } from './grpc-faults.ts';
import { ReaderAccess, readerPolicies } from './reader-access.ts';
import type { AccessSource } from './reader-access.ts';
import { checkChannel, parseSignedRead } from './signed-read.ts';

export interface CommitStatusSource extends AccessSource {
  commits: CommitWaits;
}

/**
 * `gateway.Gateway/CommitStatus`: which code a transaction was committed with, as soon as it is. The
 * client's deadline, or its leaving, ends the wait.
 *
 * @see Fabric internal/pkg/gateway/commitstatus.go.
 */
export function commitStatusMethod(source: CommitStatusSource): GrpcMethod {
  return {
    kind: 'unary',
    requestBytesMax: limits.deliverRequestBytesMax,
    async serve(bytes, call) {
      const { request, signed } = parseSignedRead(
        bytes,
        SignedCommitStatusRequest,
        CommitStatusRequest,
        'commit status',
      );
      checkWhole(request);
      checkChannel(request.channelId, source);
      const access = new ReaderAccess(signed, readerPolicies.application, source);
      access.check();
      const { code, blockNumber } = await source.commits.wait(request.transactionId, call.signal);
      // The wait may have been long, and the client struck off meanwhile.
      access.check();
      return CommitStatusResponse.encode({ result: code, blockNumber });
    },
  };
}

/** As stock gateways do since 3.1; those before let the policy say that nobody is nobody. */
function checkWhole({ identity, channelId, transactionId }: CommitStatusRequest): void {
  const missing =
    (identity.length === 0 && 'no identity provided') ||
    (channelId === '' && 'no channel ID provided') ||
    (transactionId === '' && 'transaction ID should not be empty');
  if (missing !== false) throw new CallFailure(grpcCodes.invalidArgument, missing);
}
