import { checkpointers } from '@hyperledger/fabric-gateway';
import type { ChaincodeEvent } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import { textOf } from './steps.ts';
import type { Application, Step } from './steps.ts';

export const eventSteps: Readonly<Record<string, Step>> = {
  'contract events': async (application) => {
    const { network, contract } = application;
    const checkpoint = checkpointers.inMemory();
    const first = await announce(application, 'event 1');
    const options = { checkpoint, startBlock: first.blockNumber };
    const [before] = await take(
      network.getChaincodeEvents(contract.getChaincodeName(), options),
      1,
      (event) => checkpoint.checkpointChaincodeEvent(event),
    );
    await announce(application, 'event 2');
    await announce(application, 'event 3');
    // From the checkpoint on: the first event is not told again.
    const resumed = network.getChaincodeEvents(contract.getChaincodeName(), { checkpoint });
    const after = await take(resumed, 2);
    return {
      first: before === undefined ? undefined : told(before),
      sameTransaction: before?.transactionId === first.transactionId,
      resumed: after.map(told),
    };
  },

  'future events': async (application) => {
    const { network, contract } = application;
    const events = await network.getChaincodeEvents(contract.getChaincodeName());
    // The stream starts with the block after the newest at the time that the peer reads the request.
    const taken = take(Promise.resolve(events), 1);
    const keys = ['event 4', 'event 5', 'event 6'];
    for (const key of keys) await announce(application, key);
    const [event] = await taken;
    const told = event === undefined ? '' : textOf(event.payload);
    return {
      name: event?.eventName,
      ours: keys.some((key) => told === `${application.keyOf(key)}=${key}`),
    };
  },

  blocks: async (application) => {
    const { network, profile } = application;
    const { blockNumber, transactionId } = await announce(application, 'event 7');
    const startBlock = { startBlock: blockNumber };
    const [block] = await take(network.getBlockEvents(startBlock), 1);
    const [filtered] = await take(network.getFilteredBlockEvents(startBlock), 1);
    const [withPrivate] = await take(network.getBlockAndPrivateDataEvents(startBlock), 1);
    const one = filtered
      ?.getFilteredTransactionsList()
      .find((transaction) => transaction.getTxid() === transactionId);
    const action = one?.getTransactionActions()?.getChaincodeActionsList()[0];
    const event = action?.getChaincodeEvent();
    return {
      number: BigInt(block?.getHeader()?.getNumber() ?? 0) === blockNumber,
      codes: validationCodes(block),
      metadataEntries: block?.getMetadata()?.getMetadataList().length,
      filteredChannel: filtered?.getChannelId() === profile.channel,
      filteredCode: one?.getTxValidationCode(),
      filteredType: one?.getType(),
      filteredEvent: event?.getEventName(),
      filteredPayloadBytes: event?.getPayload_asU8().length,
      samePrivateBlock:
        withPrivate?.getBlock()?.getHeader()?.getDataHash_asB64() ===
        block?.getHeader()?.getDataHash_asB64(),
      privateSets: withPrivate?.getPrivateDataMapMap().getLength(),
    };
  },
};

async function announce({ contract, keyOf }: Application, name: string) {
  const submitted = await contract.submitAsync('announce', { arguments: [keyOf(name), name] });
  const status = await submitted.getStatus();
  if (!status.successful) throw new Error(`not committed: ${status.code}`);
  return status;
}

function told({ eventName, payload, chaincodeName }: ChaincodeEvent) {
  return { name: eventName, payload: textOf(payload), contract: chaincodeName };
}

/** The first few of a stream of events, which is closed then. */
async function take<T>(
  opening: Promise<AsyncIterable<T> & { close(): void }>,
  count: number,
  onEach: (event: T) => Promise<void> = async () => {},
): Promise<T[]> {
  const events = await opening;
  const taken: T[] = [];
  try {
    for await (const event of events) {
      taken.push(event);
      await onEach(event);
      if (taken.length === count) break;
    }
  } finally {
    events.close();
  }
  return taken;
}

function validationCodes(block: common.Block | undefined): number[] {
  const codes = block?.getMetadata()?.getMetadataList_asU8()[
    common.BlockMetadataIndex.TRANSACTIONS_FILTER
  ];
  return [...(codes ?? [])];
}
