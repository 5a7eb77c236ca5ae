import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { utf8 } from '#base';
import { normaliseEcdsa } from '#crypto';
import {
  CommitStatusRequest,
  CommitStatusResponse,
  EndorseRequest,
  EndorseResponse,
  Header,
  Proposal,
  SerializedIdentity,
  SignedCommitStatusRequest,
  SubmitRequest,
  buildProposal,
} from '#formats';
import type { ClientProfile } from '../../interop/client-profile.ts';
import { GrpcCalls } from './grpc-calls.ts';
import { runLoadProgram, valueOf } from './load-program.ts';

/**
 * Load from a client that is prepared: proposals and commit status requests are built and signed
 * before the clock runs. Envelopes carry the endorsements, so they are signed while it runs.
 */
runLoadProgram((profile, { transactions, run }) => {
  const key = createPrivateKey(readFileSync(profile.keyFile));
  const calls = new GrpcCalls(profile.endpoint, profile.tlsRootFile);
  const creator = SerializedIdentity.encode({
    mspid: profile.mspid,
    idBytes: new Uint8Array(readFileSync(profile.certificateFile)),
  });
  return Array.from({ length: transactions }, (_none, index) => {
    const args = ['create', `${run}/${index}`, valueOf(index)].map(utf8);
    const { transactionId, endorse, status } = prepared(profile, key, creator, args);
    return async () => {
      const endorsed = EndorseResponse.decode(
        await calls.unary('/gateway.Gateway/Endorse', endorse),
      );
      const { payload } = endorsed.preparedTransaction ?? { payload: new Uint8Array() };
      const submit = SubmitRequest.encode({
        transactionId,
        channelId: profile.channel,
        preparedTransaction: { payload, signature: signatureOf(key, payload) },
      });
      await calls.unary('/gateway.Gateway/Submit', submit);
      const commit = await calls.unary('/gateway.Gateway/CommitStatus', status);
      const { result } = CommitStatusResponse.decode(commit);
      if (result !== 0) throw new Error(`committed with code ${result}`);
    };
  });
});

function prepared(
  { channel, contract }: ClientProfile,
  key: KeyObject,
  creator: Uint8Array,
  args: readonly Uint8Array[],
): { transactionId: string; endorse: Uint8Array; status: Uint8Array } {
  const built = buildProposal({
    channel,
    contract,
    args,
    creator,
    nonce: new Uint8Array(randomBytes(24)),
    timeMs: Date.now(),
  });
  const { txId: transactionId, channelHeader, signatureHeader, proposalPayload } = built;
  const header = Header.encode({ channelHeader, signatureHeader });
  const proposal = Proposal.encode({ header, payload: proposalPayload });
  const request = CommitStatusRequest.encode({
    transactionId,
    channelId: channel,
    identity: creator,
  });
  return {
    transactionId,
    endorse: EndorseRequest.encode({
      transactionId,
      channelId: channel,
      proposedTransaction: { proposalBytes: proposal, signature: signatureOf(key, proposal) },
      endorsingOrganizations: [],
    }),
    status: SignedCommitStatusRequest.encode({ request, signature: signatureOf(key, request) }),
  };
}

function signatureOf(key: KeyObject, bytes: Uint8Array): Uint8Array {
  const raw = sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
  return normaliseEcdsa(raw, 'P-256');
}
