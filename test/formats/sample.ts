/** A bundle transaction as the zone makes it, with stand-ins where signatures go. */
import { emptyBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  BundleEvents,
  BundleResult,
  ChaincodeEvent,
  Envelope,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  bundleEventName,
  bundleFunction,
  encodeRwSet,
} from '#formats';
import type { ProposalSpec } from '#formats';

export const requests = [utf8('aaa.bbb.ccc'), utf8('ddd.eee.fff')];

export const results = requests.map((request, index) => ({
  requestId: sha256(request),
  status: 200 + index * 200,
  message: index === 0 ? '' : 'no such deed',
  payloads: index === 0 ? [utf8('one'), emptyBytes] : [],
  code: index === 0 ? '' : 'CONTRACT_FAILED',
}));

export const events = [{ requestIndex: 1, name: 'deposited', payload: utf8('{}') }];

export const proposalSpec: ProposalSpec = {
  channel: 'deeds',
  contract: 'notary',
  args: [utf8(bundleFunction), ...requests],
  creator: utf8('relay identity'),
  nonce: Uint8Array.from({ length: 24 }, (_, index) => index),
  timeMs: 1_700_000_000_123,
};

export const rwset = {
  namespaces: [
    {
      namespace: 'notary',
      reads: [{ key: 'a', version: { blockNum: 0n, txNum: 0n } }],
      rangeQueries: [],
      writes: [{ key: 'a', isDelete: false, value: utf8('deed') }],
      metadataWrites: [],
    },
  ],
};

const endorsements = ['Org1', 'Org2'].map((org) => ({
  endorser: utf8(`${org} ${'certificate '.repeat(70)}`),
  signature: new Uint8Array(71).fill(7),
}));

/** @param change replaces parts of the proposal response, to make hostile ones. */
export function bundleEnvelope(
  change: { args?: Uint8Array[]; payload?: Uint8Array; events?: Uint8Array } = {},
) {
  const proposal = buildProposal({ ...proposalSpec, args: change.args ?? proposalSpec.args });
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    results: encodeRwSet(rwset),
    events:
      change.events ??
      ChaincodeEvent.encode({
        chaincodeId: 'notary',
        txId: proposal.txId,
        eventName: bundleEventName,
        payload: BundleEvents.encode({ events }),
      }),
    response: {
      status: 200,
      message: '',
      payload: change.payload ?? BundleResult.encode({ results }),
    },
    chaincodeId: { path: '', name: 'notary', version: '1' },
  });
  const payload = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
  const envelope = Envelope.encode({ payload, signature: new Uint8Array(70).fill(9) });
  return { proposal, proposalResponsePayload, endorsements, envelope };
}
