import { concatBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeEvent,
  ChaincodeHeaderExtension,
  ChannelHeader,
  Envelope,
  KvRwSet,
  Payload,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
  headerTypes,
} from '#formats';
import type { NamespaceRwSet } from '#formats';
import { creator, endorsers, spec } from '../policy/test-validation.ts';

/** The messages inside an envelope, innermost first. */
export const layers = [
  'creator',
  'signatureHeader',
  'extension',
  'channelHeader',
  'kvRwset',
  'results',
  'events',
  'action',
  'proposalResponsePayload',
  'endorser',
  'actionPayload',
  'transaction',
  'payload',
] as const;
export type Layer = (typeof layers)[number];

/** @returns what stands in place of the layer's bytes. */
export type Change = (layer: Layer, bytes: Uint8Array) => Uint8Array;

/**
 * A good transaction of `notary` whose layers are changed as they are made: hashes, ids and
 * signatures of the layers around are of what was changed.
 */
export function layeredTransaction(
  nonce: Uint8Array,
  rwset: NamespaceRwSet,
  change: Change,
): Uint8Array {
  const header = headerOf(nonce, change);
  const proposalPayload = utf8('what was proposed');
  const prp = change(
    'proposalResponsePayload',
    ProposalResponsePayload.encode({
      proposalHash: sha256(header.channelHeader, header.signatureHeader, proposalPayload),
      extension: actionOf(rwset, change),
    }),
  );
  const endorsements = endorsers.map(({ mspid, identity }) => {
    const endorser = change('endorser', identity.serialized(mspid));
    return { endorser, signature: identity.sign(concatBytes(prp, endorser)) };
  });
  const actionPayload = ChaincodeActionPayload.encode({
    chaincodeProposalPayload: proposalPayload,
    action: { proposalResponsePayload: prp, endorsements },
  });
  const action = {
    header: header.signatureHeader,
    payload: change('actionPayload', actionPayload),
  };
  const data = change('transaction', Transaction.encode({ actions: [action] }));
  const payload = change('payload', Payload.encode({ header, data }));
  return Envelope.encode({ payload, signature: creator.identity.sign(payload) });
}

function headerOf(nonce: Uint8Array, change: Change) {
  const signer = change('creator', creator.identity.serialized(creator.mspid));
  const signatureHeader = change(
    'signatureHeader',
    SignatureHeader.encode({ creator: signer, nonce }),
  );
  const chaincodeId = { path: '', name: 'notary', version: '' };
  const channelHeader = ChannelHeader.encode({
    type: headerTypes.endorserTransaction,
    channelId: spec.channelId,
    txId: toHex(sha256(nonce, signer)),
    extension: change('extension', ChaincodeHeaderExtension.encode({ chaincodeId })),
  });
  return { signatureHeader, channelHeader: change('channelHeader', channelHeader) };
}

function actionOf(rwset: NamespaceRwSet, change: Change): Uint8Array {
  const { namespace, reads, rangeQueries: rangeQueriesInfo, writes, metadataWrites } = rwset;
  const kvRwset = KvRwSet.encode({ reads, rangeQueriesInfo, writes, metadataWrites });
  const results = TxReadWriteSet.encode({
    nsRwset: [{ namespace, rwset: change('kvRwset', kvRwset), collectionHashedRwset: [] }],
  });
  const events = ChaincodeEvent.encode({ chaincodeId: namespace, eventName: 'made' });
  return change(
    'action',
    ChaincodeAction.encode({
      results: change('results', results),
      events: change('events', events),
      response: { status: 200, message: '', payload: utf8('done') },
      chaincodeId: { path: '', name: namespace, version: '1.0' },
    }),
  );
}
