import { Fault } from '#base';
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
import type { Message, ParsedRwSet } from '#formats';
import { contentOf, fieldsOf } from './mutations.ts';

/** How far stock peers can read an envelope: to its read-write set, or not. */
export type Fitness = 'readable' | 'unreadable';

/**
 * How far a stock peer can read an envelope; undefined where one would die: no header, no endorsed
 * action, a configuration that is none; and where stock peers are not of one mind, see
 * `isAmbiguous`.
 *
 * @param isCommittable whether a read-write set that was read may come into a block.
 */
export function fitnessOf(
  envelope: Uint8Array,
  isCommittable: (rwset: ParsedRwSet) => boolean,
): Fitness | undefined {
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
  return fitnessOfTransaction(data, isCommittable);
}

function fitnessOfTransaction(
  data: Uint8Array,
  isCommittable: (rwset: ParsedRwSet) => boolean,
): Fitness | undefined {
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
  return isCommittable(rwset) ? 'readable' : undefined;
}

/**
 * Whether a field for one message comes with another wire type than a message has. To Fabric 2.5
 * that is an empty message, to 3.x and to us it is an unknown field, and so 2.5 and 3.x part.
 *
 * @see google.golang.org/protobuf internal/impl/codec_field.go: messages generated for the API
 *   before v2 are made before their wire type is looked at.
 */
export function isAmbiguous(type: Pick<Message<unknown>, 'fields'>, bytes: Uint8Array): boolean {
  const declared = Object.values(type.fields);
  return (fieldsOf(bytes) ?? []).some((raw) => {
    const field = declared.find(({ number }) => number === raw.number);
    if (field?.kind !== 'message') return false;
    const content = contentOf(bytes, raw);
    if (content === undefined) return !field.repeated;
    return isAmbiguous(field.message!(), content);
  });
}

function attempt<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
