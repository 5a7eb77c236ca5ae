import { limits } from '#base';
import { CommitStatusRequest, CommitStatusResponse, SignedCommitStatusRequest } from '#formats';
import type { CommitWaits } from './commit-waits.ts';
import type { GrpcMethod } from './grpc-call.ts';
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
