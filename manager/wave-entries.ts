import { emptyBytes } from '#base';
import type { Fault } from '#base';
import { BundleResult, ChaincodeAction, ProposalResponsePayload, validationCodes } from '#formats';
import type { BuiltProposal, Endorsement } from '#formats';
import type { CommittedBlock } from '#ledger';
import type { Cut } from './bundler.ts';
import type { AdmittedRequest, RequestOutcome } from './pipeline-types.ts';

/** A request between admission and its outcome. */
export interface Entry {
  admitted: AdmittedRequest;
  conflicts: number;
  settle: (outcome: RequestOutcome) => void;
}

/** A bundle with everything its envelope needs. */
export interface EndorsedBundle {
  cut: Cut<Entry>;
  proposal: BuiltProposal;
  /** Label of the relay key that is its creator. */
  relayLabel: string;
  proposalResponsePayload: Uint8Array;
  endorsements: Endorsement[];
}

/** One that will be valid in the block to come. */
export interface KeptBundle {
  bundle: EndorsedBundle;
  /** common.Envelope bytes. */
  envelope: Uint8Array;
}

/** Nothing of them is on the ledger. */
export function refuseAll(entries: readonly Entry[], reason: Fault): void {
  for (const entry of entries) refuse(entry, reason);
}

export function refuse(entry: Entry, reason: Fault): void {
  const { requestId } = entry.admitted.request;
  entry.settle({ requestId, state: 'refused', fault: reason });
}

/** @param index of the bundle's transaction in its block. */
export function settleBundle(bundle: EndorsedBundle, block: CommittedBlock, index: number): void {
  const { extension } = ProposalResponsePayload.decode(bundle.proposalResponsePayload);
  const { response } = ChaincodeAction.decode(extension);
  const { results } = BundleResult.decode(response?.payload ?? emptyBytes);
  for (const [requestIndex, entry] of bundle.cut.entries.entries()) {
    const result = results[requestIndex];
    entry.settle({
      requestId: entry.admitted.request.requestId,
      state: 'committed',
      ...(result === undefined ? {} : { result }),
      blockNumber: block.number,
      txId: bundle.proposal.txId,
      requestIndex,
      validationCode: block.codes[index] ?? validationCodes.INVALID_OTHER_REASON,
    });
  }
}
