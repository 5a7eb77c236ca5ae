import { Fault, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeHeaderExtension,
  ChannelHeader,
  Envelope,
  KvRwSet,
  Payload,
  ProposalResponsePayload,
  Transaction,
  TxReadWriteSet,
  headerTypes,
  parseRwSet,
} from '#formats';
import type { Message, NamespaceRwSet, ParsedRwSet, Version } from '#formats';
import { seededRandom } from '../crypto/fuzzing.ts';
import { write } from '../policy/test-transaction.ts';
import { read } from './hostile-chain.ts';
import type { HostileChain } from './hostile-chain.ts';
import { layeredTransaction, layers } from './layered-transaction.ts';
import { contentOf, fieldsOf, mutated } from './mutations.ts';

/**
 * Transactions of which one layer is changed at random, those first that a stock peer can read to
 * the end: behind one that it cannot read it would wait for ever.
 *
 * @param count how many are made; some are left out, see `fitness`.
 */
export function mutatedTransactions(
  chain: HostileChain,
  seed: number,
  count: number,
): Uint8Array[] {
  const version = chain.seed('mutant row 1', 'mutant row 2', 'mutant read');
  const random = seededRandom(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const readable: Uint8Array[] = [];
  const unreadable: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const nonce = sha256(utf8(`mutant ${seed} ${index}`)).subarray(0, 24);
    const target = layers[below(layers.length)];
    const envelope = layeredTransaction(nonce, rwsetOf(index, version), (layer, bytes) =>
      layer === target ? mutated(bytes, below) : bytes,
    );
    const fit = fitness(envelope, keyOf(index));
    if (fit === 'readable') readable.push(envelope);
    if (fit === 'unreadable') unreadable.push(envelope);
  }
  return [...readable, ...unreadable];
}

const keyOf = (index: number) => `mutant ${index}`;
const ownKeys = /^mutant \d+$/;

function rwsetOf(index: number, version: Version): NamespaceRwSet {
  const key = keyOf(index);
  const rows = ['mutant row 1', 'mutant row 2'].map((row) => read(row, version));
  return {
    namespace: 'notary',
    reads: [read('mutant read', version), read(`mutant unread`)],
    rangeQueries: [
      {
        startKey: 'mutant row',
        endKey: 'mutant row 9',
        itrExhausted: true,
        rawReads: { kvReads: rows },
        readsMerkleHashes: undefined,
      },
    ],
    writes: [write(key)],
    metadataWrites: [{ key, entries: [{ name: 'REMARK', value: utf8('none') }] }],
  };
}

/**
 * How far a stock peer can read an envelope; undefined where one would die, wait for ever, or say
 * by chance this or that: no header, no endorsed action, a configuration that is none, private data,
 * keys of another transaction, writes to a second namespace, a range read without a version, a
 * summary of a range; and where stock peers are not of one mind, see `isAmbiguous`.
 */
function fitness(envelope: Uint8Array, key: string): 'readable' | 'unreadable' | undefined {
  const payloadBytes = Envelope.decode(envelope).payload;
  const payload = attempt(() => Payload.decode(payloadBytes));
  if (payload === undefined) return 'unreadable';
  const { header, data } = payload;
  if (header === undefined || isAmbiguous(Payload, payloadBytes)) return undefined;
  const channelHeader = attempt(() => ChannelHeader.decode(header.channelHeader));
  if (channelHeader !== undefined) {
    if (channelHeader.type === headerTypes.config) return undefined;
    if (isAmbiguous(ChannelHeader, header.channelHeader)) return undefined;
    if (isAmbiguous(ChaincodeHeaderExtension, channelHeader.extension)) return undefined;
  }
  return fitnessOfTransaction(data, key);
}

function fitnessOfTransaction(
  data: Uint8Array,
  key: string,
): 'readable' | 'unreadable' | undefined {
  const [first] = attempt(() => Transaction.decode(data).actions) ?? [];
  const actionPayload = first && attempt(() => ChaincodeActionPayload.decode(first.payload));
  if (first === undefined || actionPayload === undefined) return 'unreadable';
  const { action } = actionPayload;
  if (action === undefined || isAmbiguous(ChaincodeActionPayload, first.payload)) return undefined;
  const extension = attempt(
    () => ProposalResponsePayload.decode(action.proposalResponsePayload).extension,
  );
  const chaincodeAction = extension && attempt(() => ChaincodeAction.decode(extension));
  if (extension === undefined || chaincodeAction === undefined) return 'unreadable';
  if (isAmbiguous(ChaincodeAction, extension)) return undefined;
  const { results } = chaincodeAction;
  const rwset = attempt(() => parseRwSet(results));
  if (rwset === undefined) return 'readable';
  const { nsRwset } = TxReadWriteSet.decode(results);
  if (nsRwset.some((set) => isAmbiguous(KvRwSet, set.rwset))) return undefined;
  return isCommittable(rwset, key) ? 'readable' : undefined;
}

/**
 * Whether a field for one message comes with another wire type than a message has. To Fabric 2.5
 * that is an empty message, to 3.x and to us it is an unknown field, and so 2.5 and 3.x part.
 *
 * @see google.golang.org/protobuf internal/impl/codec_field.go: messages generated for the API
 *   before v2 are made before their wire type is looked at.
 */
function isAmbiguous(type: Pick<Message<unknown>, 'fields'>, bytes: Uint8Array): boolean {
  const declared = Object.values(type.fields);
  return (fieldsOf(bytes) ?? []).some((raw) => {
    const field = declared.find(({ number }) => number === raw.number);
    if (field?.kind !== 'message') return false;
    const content = contentOf(bytes, raw);
    if (content === undefined) return !field.repeated;
    return isAmbiguous(field.message!(), content);
  });
}

function isCommittable({ namespaces }: ParsedRwSet, ownKey: string): boolean {
  return namespaces.every(
    ({ namespace, collections = [], rangeQueries, writes, metadataWrites }) =>
      (namespace === 'notary' || writes.length + metadataWrites.length === 0) &&
      collections.length === 0 &&
      metadataWrites.every(({ key }) => key === ownKey) &&
      writes.every(({ key }) => key === ownKey || !ownKeys.test(key)) &&
      rangeQueries.every(
        ({ rawReads, readsMerkleHashes }) =>
          readsMerkleHashes === undefined &&
          (rawReads?.kvReads ?? []).every(({ version }) => version !== undefined),
      ),
  );
}

function attempt<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
