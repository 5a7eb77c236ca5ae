import { Fault, emptyBytes } from '#base';
import { ChannelHeader, Envelope, Payload, headerTypes } from './fabric-common.ts';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeEvent,
  ProposalResponsePayload,
  Transaction,
} from './fabric-peer.ts';

/** What those who listen are told of a transaction. */
export interface ToldTransaction {
  channelHeader: ChannelHeader;
  /** Set for an endorser transaction: the event of each action, all fields empty where there is none. */
  events: ChaincodeEvent[] | undefined;
}

/**
 * Reads no more of a committed transaction than listeners are told, because a valid one may hold
 * anything beside that. What cannot be read on the way is passed over.
 *
 * @param envelope common.Envelope bytes.
 * @returns undefined when not even its channel header can be read.
 * @see Fabric core/peer/deliverevents.go, internal/pkg/gateway/event/transaction.go.
 */
export function toldTransaction(envelope: Uint8Array): ToldTransaction | undefined {
  return readOrSkip(() => {
    const { header, data } = Payload.decode(Envelope.decode(envelope).payload);
    if (header === undefined) return undefined;
    const channelHeader = ChannelHeader.decode(header.channelHeader);
    if (channelHeader.type !== headerTypes.endorserTransaction) {
      return { channelHeader, events: undefined };
    }
    const { actions } = Transaction.decode(data);
    const events = actions.flatMap(({ payload }) => readOrSkip(() => eventOf(payload)) ?? []);
    return { channelHeader, events };
  });
}

function eventOf(actionPayload: Uint8Array): ChaincodeEvent {
  const { action } = ChaincodeActionPayload.decode(actionPayload);
  const response = action?.proposalResponsePayload ?? emptyBytes;
  const { extension } = ProposalResponsePayload.decode(response);
  return ChaincodeEvent.decode(ChaincodeAction.decode(extension).events);
}

function readOrSkip<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
