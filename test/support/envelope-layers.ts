import { concatBytes, emptyBytes, toHex, utf8 } from '#base';
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

/** The messages and signatures inside an envelope, innermost first. */
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
  'endorsement',
  'actionPayload',
  'transaction',
  'payload',
  'signature',
] as const;
export type Layer = (typeof layers)[number];

/**
 * @param index which of `count` layers of that kind it is.
 * @returns what stands in place of the layer's bytes.
 */
export type LayerChange = (
  layer: Layer,
  bytes: Uint8Array,
  index: number,
  count: number,
) => Uint8Array;

/** A namespace with what it reads and writes, the versions found. */
export interface NamespaceContent {
  readonly namespace: string;
  readonly content: Partial<KvRwSet>;
}

export interface LayerSigner {
  /** A SerializedIdentity. */
  readonly serialized: Uint8Array;
  sign(data: Uint8Array): Uint8Array;
}

export interface LayeredTransaction {
  readonly channelId: string;
  readonly contract: string;
  readonly nonce: Uint8Array;
  readonly creator: LayerSigner;
  readonly endorsers: readonly LayerSigner[];
  readonly namespaces: readonly NamespaceContent[];
}

/**
 * The envelope of a transaction whose layers are changed as they are made. Hashes, ids and signatures
 * around a changed layer are of what was changed, so that every check is reached by some.
 */
export function layeredEnvelope(transaction: LayeredTransaction, change: LayerChange): Uint8Array {
  const { creator, endorsers } = transaction;
  const header = headerOf(transaction, change);
  const proposalPayload = utf8('what was proposed');
  const prp = change(
    'proposalResponsePayload',
    ProposalResponsePayload.encode({
      proposalHash: sha256(header.channelHeader, header.signatureHeader, proposalPayload),
      extension: actionOf(transaction, change),
    }),
    ...only,
  );
  const endorsements = endorsers.map((signer, index) => {
    const endorser = change('endorser', signer.serialized, index, endorsers.length);
    const made = signer.sign(concatBytes(prp, endorser));
    return { endorser, signature: change('endorsement', made, index, endorsers.length) };
  });
  const actionPayload = ChaincodeActionPayload.encode({
    chaincodeProposalPayload: proposalPayload,
    action: { proposalResponsePayload: prp, endorsements },
  });
  const action = {
    header: header.signatureHeader,
    payload: change('actionPayload', actionPayload, ...only),
  };
  const data = change('transaction', Transaction.encode({ actions: [action] }), ...only);
  const payload = change('payload', Payload.encode({ header, data }), ...only);
  return Envelope.encode({
    payload,
    signature: change('signature', creator.sign(payload), ...only),
  });
}

/** The first of one. */
const only = [0, 1] as const;

function headerOf(
  { channelId, contract, nonce, creator }: LayeredTransaction,
  change: LayerChange,
): { signatureHeader: Uint8Array; channelHeader: Uint8Array } {
  const signer = change('creator', creator.serialized, ...only);
  const signatureHeader = SignatureHeader.encode({ creator: signer, nonce });
  const chaincodeId = { path: '', name: contract, version: '' };
  const extension = ChaincodeHeaderExtension.encode({ chaincodeId });
  const channelHeader = ChannelHeader.encode({
    type: headerTypes.endorserTransaction,
    timestamp: { seconds: 1_700_000_000n, nanos: 0 },
    channelId,
    txId: toHex(sha256(nonce, signer)),
    extension: change('extension', extension, ...only),
  });
  return {
    signatureHeader: change('signatureHeader', signatureHeader, ...only),
    channelHeader: change('channelHeader', channelHeader, ...only),
  };
}

function actionOf({ contract, namespaces }: LayeredTransaction, change: LayerChange): Uint8Array {
  const nsRwset = namespaces.map(({ namespace, content }, index) => ({
    namespace,
    rwset: change('kvRwset', KvRwSet.encode(content), index, namespaces.length),
    collectionHashedRwset: [],
  }));
  const results = TxReadWriteSet.encode({ nsRwset });
  const events = ChaincodeEvent.encode({ chaincodeId: contract, eventName: 'made' });
  const action = ChaincodeAction.encode({
    results: change('results', results, ...only),
    events: change('events', events, ...only),
    response: { status: 200, message: '', payload: emptyBytes },
    chaincodeId: { path: '', name: contract, version: '1.0' },
  });
  return change('action', action, ...only);
}
