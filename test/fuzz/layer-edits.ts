/** Changes of one field or another of a layer, by name. */
import { emptyBytes, utf8 } from '#base';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeEvent,
  ChaincodeHeaderExtension,
  ChannelHeader,
  KvRwSet,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
} from '#formats';
import type { Message } from '#formats';
import type { Below } from '../interop/mutations.ts';
import type { Layer } from '../support/envelope-layers.ts';

/** A named change of the bytes of a layer. */
export interface LayerEdit {
  readonly layer: Layer;
  /** @throws Fault when the bytes are no message any more. */
  readonly apply: (bytes: Uint8Array, below: Below) => Uint8Array;
}

export const layerEdits: Readonly<Record<string, LayerEdit>> = {
  ...headerEdits(),
  ...actionEdits(),
  ...resultsEdits(),
  ...writeEdits(),
  ...readEdits(),
  ...transactionEdits(),
};

type Pick = <Item>(...items: Item[]) => Item;

/** Decodes the layer, changes some of its fields and encodes it. */
function edit<Value>(
  layer: Layer,
  message: Message<Value>,
  change: (value: Value, pick: Pick, below: Below) => Partial<Value>,
): LayerEdit {
  return {
    layer,
    apply: (bytes, below) => {
      const value = message.decode(bytes);
      const pick: Pick = (...items) => items[below(items.length)]!;
      return message.encode({ ...value, ...change(value, pick, below) });
    },
  };
}

const garbage = utf8('\u0007garbage');

function headerEdits(): Record<string, LayerEdit> {
  const channel = (
    change: (value: ChannelHeader, pick: Pick, below: Below) => Partial<ChannelHeader>,
  ) => edit('channelHeader', ChannelHeader, change);
  const chaincode = (name: string, version = '', path = '') => ({
    chaincodeId: { name, version, path },
  });
  return {
    'type of transaction': channel((_, pick) => ({
      type: pick(0, 2, 4, 5, 6, 7, 8, 99, -1, 2 ** 31 - 1),
    })),
    'version of the header': channel((_, pick) => ({ version: pick(1, -1, 2 ** 31 - 1) })),
    'time of the header': channel((_, pick) => ({
      timestamp: pick(
        undefined,
        { seconds: 0n, nanos: 0 },
        { seconds: -(2n ** 63n), nanos: -1 },
        { seconds: 2n ** 62n, nanos: 2 ** 31 - 1 },
      ),
    })),
    'channel of the header': channel(({ channelId }, pick) => ({
      channelId: pick('', 'other', channelId.toUpperCase(), `${channelId} `),
    })),
    'transaction id': channel(({ txId }, pick) => ({
      txId: pick('', 'ab', txId.toUpperCase(), `${txId} `, txId.slice(1), '\u0000'),
    })),
    'epoch of the header': channel((_, pick) => ({ epoch: pick(1n, 2n ** 63n, 2n ** 64n - 1n) })),
    'TLS hash of the header': channel(() => ({ tlsCertHash: utf8('any') })),
    'extension of the header': channel((_, pick) => ({ extension: pick(emptyBytes, garbage) })),
    'nonce of the header': edit('signatureHeader', SignatureHeader, (_, pick) => ({
      nonce: pick(emptyBytes, utf8('n'), new Uint8Array(1_000)),
    })),
    'creator of the header': edit('signatureHeader', SignatureHeader, (_, pick) => ({
      creator: pick(emptyBytes, garbage),
    })),
    'contract of the header': edit('extension', ChaincodeHeaderExtension, (_, pick) =>
      pick<object>(
        { chaincodeId: undefined },
        chaincode(''),
        chaincode('open'),
        chaincode('_lifecycle'),
        chaincode('Notary'),
      ),
    ),
    'version of the contract of the header': edit(
      'extension',
      ChaincodeHeaderExtension,
      ({ chaincodeId }) => chaincode(chaincodeId?.name ?? '', '9', 'somewhere'),
    ),
  };
}

function actionEdits(): Record<string, LayerEdit> {
  const action = (
    change: (value: ChaincodeAction, pick: Pick, below: Below) => Partial<ChaincodeAction>,
  ) => edit('action', ChaincodeAction, change);
  const event = (
    change: (value: ChaincodeEvent, pick: Pick, below: Below) => Partial<ChaincodeEvent>,
  ) => edit('events', ChaincodeEvent, change);
  const response = { status: 200, message: '', payload: emptyBytes };
  return {
    'status of the response': action((_, pick) => ({
      response: { ...response, status: pick(0, 199, 400, 500, -1) },
    })),
    'no response': action(() => ({ response: undefined })),
    'no contract of the action': action(() => ({ chaincodeId: undefined })),
    'contract of the action': action(({ chaincodeId }, pick) => ({
      chaincodeId: { ...chaincodeId!, name: pick('', 'open', 'nobody') },
    })),
    'version of the contract': action(({ chaincodeId }, pick) => ({
      chaincodeId: { ...chaincodeId!, version: pick('', '0', 'latest') },
    })),
    'no results': action(() => ({ results: emptyBytes })),
    'event that is none': action(() => ({ events: garbage })),
    'no event': action(() => ({ events: emptyBytes })),
    'contract of the event': event((_, pick) => ({ chaincodeId: pick('', 'open', 'nobody') })),
    'name of the event': event((_, pick) => ({ eventName: pick('', '\u0000', 'another') })),
    'transaction of the event': event(() => ({ txId: 'another' })),
    'proposal hash': edit(
      'proposalResponsePayload',
      ProposalResponsePayload,
      ({ proposalHash }, pick) => ({
        proposalHash: pick(emptyBytes, new Uint8Array(32), proposalHash.subarray(1)),
      }),
    ),
    'no action of the response': edit(
      'proposalResponsePayload',
      ProposalResponsePayload,
      (_, pick) => ({ extension: pick(emptyBytes, garbage) }),
    ),
  };
}

function kvRwsetEdit(
  change: (value: KvRwSet, pick: Pick, below: Below) => Partial<KvRwSet>,
): LayerEdit {
  return edit('kvRwset', KvRwSet, change);
}

function oddKey(pick: Pick): string {
  const long = 'k'.repeat(900);
  return pick('', '\u0000', 'k0\u0000', '\u{10ffff}', long, '\ufeffk0', 'CHANNEL_CONFIG_ENV_BYTES');
}

function resultsEdits(): Record<string, LayerEdit> {
  const results = (
    change: (value: TxReadWriteSet, pick: Pick, below: Below) => Partial<TxReadWriteSet>,
  ) => edit('results', TxReadWriteSet, change);
  return {
    'data model': results((_, pick) => ({ dataModel: pick(1, 2, -1) })),
    'namespace twice': results(({ nsRwset }) => ({ nsRwset: [...nsRwset, ...nsRwset] })),
    'name of the namespace': results(({ nsRwset: [first, ...others] }, pick) => ({
      nsRwset: first && [
        { ...first, namespace: pick('', 'nobody', 'open', 'lscc', 'qscc', '_lifecycle') },
        ...others,
      ],
    })),
    'namespaces turned round': results(({ nsRwset }) => ({ nsRwset: nsRwset.toReversed() })),
    'a namespace that is none': results(({ nsRwset }) => ({
      nsRwset: [...nsRwset, { namespace: 'strict', rwset: garbage, collectionHashedRwset: [] }],
    })),
    'an empty namespace': results(({ nsRwset }, pick) => ({
      nsRwset: [
        ...nsRwset,
        { namespace: pick('', 'aside', 'a\u0000b'), rwset: emptyBytes, collectionHashedRwset: [] },
      ],
    })),
  };
}

function writeEdits(): Record<string, LayerEdit> {
  return {
    'writes twice': kvRwsetEdit(({ writes }) => ({ writes: [...writes, ...writes] })),
    'writes turned round': kvRwsetEdit(({ writes }) => ({ writes: writes.toReversed() })),
    'metadata twice': kvRwsetEdit(({ metadataWrites }) => ({
      metadataWrites: [...metadataWrites, ...metadataWrites],
    })),
    'metadata of other names': kvRwsetEdit(({ metadataWrites }, pick) => ({
      metadataWrites: metadataWrites.map(({ key, entries }) => ({
        key,
        entries: pick(
          entries.map(({ value }) => ({ name: 'REMARK', value })),
          [...entries, { name: 'REMARK', value: garbage }],
          [...entries, { name: 'VALIDATION_PARAMETER', value: emptyBytes }],
          [{ name: '', value: emptyBytes }, ...entries],
        ),
      })),
    })),
    'a key written': kvRwsetEdit(({ writes }, pick) => ({
      writes: [...writes, { key: oddKey(pick), isDelete: pick(false, true), value: utf8('odd') }],
    })),
    'a large value': kvRwsetEdit(({ writes }) => ({
      writes: writes.map((write) => ({ ...write, value: new Uint8Array(40_000).fill(7) })),
    })),
  };
}

function readEdits(): Record<string, LayerEdit> {
  return {
    'reads twice': kvRwsetEdit(({ reads }) => ({ reads: [...reads, ...reads] })),
    'a key read': kvRwsetEdit(({ reads }, pick) => ({
      reads: [...reads, { key: oddKey(pick), version: undefined }],
    })),
    'a version read': kvRwsetEdit(({ reads }, pick) => ({
      reads: reads.map(({ key }) => ({
        key,
        version: { blockNum: pick(0n, 2n ** 64n - 1n), txNum: pick(0n, 2n ** 63n) },
      })),
    })),
    'bounds of a range': kvRwsetEdit(({ rangeQueriesInfo }, pick) => ({
      rangeQueriesInfo: rangeQueriesInfo.map((query) => ({
        ...query,
        ...pick<object>(
          { startKey: '' },
          { endKey: '' },
          { startKey: query.endKey, endKey: query.startKey },
          { endKey: '\u{10ffff}' },
          { itrExhausted: !query.itrExhausted },
        ),
      })),
    })),
    'shape of a summary': kvRwsetEdit(({ rangeQueriesInfo }, pick) => ({
      rangeQueriesInfo: rangeQueriesInfo.map((query) => ({
        ...query,
        readsMerkleHashes: query.readsMerkleHashes && {
          ...query.readsMerkleHashes,
          ...pick<object>(
            { maxDegree: 3 },
            { maxLevel: 2 },
            { maxLevel: 0 },
            { maxLevelHashes: [] },
          ),
        },
      })),
    })),
  };
}

function transactionEdits(): Record<string, LayerEdit> {
  const headerOf = (header: Partial<SignatureHeader>) => SignatureHeader.encode(header);
  const transaction = (change: (value: Transaction, pick: Pick) => Partial<Transaction>) =>
    edit('transaction', Transaction, change);
  return {
    'payload of the proposal': edit('actionPayload', ChaincodeActionPayload, (_, pick) => ({
      chaincodeProposalPayload: pick(emptyBytes, garbage),
    })),
    'number of actions': transaction(({ actions }, pick) => ({
      actions: pick([], [...actions, ...actions]),
    })),
    'header of the action': transaction(({ actions }, pick) => ({
      actions: actions.map((action) => ({
        ...action,
        header: pick(
          emptyBytes,
          garbage,
          headerOf({ creator: utf8('x') }),
          headerOf({ creator: utf8('x'), nonce: utf8('y') }),
        ),
      })),
    })),
  };
}
