import { setImmediate as othersTurn } from 'node:timers/promises';
import { LruMap, limits } from '#base';
import {
  ChaincodeEventsRequest,
  ChaincodeEventsResponse,
  SignedChaincodeEventsRequest,
} from '#formats';
import type { Ledger } from '#ledger';
import { blockEvents } from './block-events.ts';
import type { TransactionEvents } from './block-events.ts';
import { EventCursor } from './event-cursor.ts';
import { fault } from './faults.ts';
import type { GrpcMethod, GrpcOutput } from './grpc-call.ts';
import { ReaderAccess, readerPolicies } from './reader-access.ts';
import type { AccessSource } from './reader-access.ts';
import { checkChannel, parseSignedRead } from './signed-read.ts';

export interface EventSource extends AccessSource {
  ledger: Pick<Ledger, 'block' | 'height' | 'transaction' | 'waitForHeight'>;
}

/**
 * `gateway.Gateway/ChaincodeEvents`: the events of one contract from a place in the ledger on, one
 * message for each block that has any.
 *
 * @see Fabric internal/pkg/gateway/chaincodeevents.go.
 */
export function chaincodeEventsMethod(source: EventSource): GrpcMethod {
  // Whoever listens is sent the newest blocks, all of them the same ones.
  const newest = new LruMap<bigint, TransactionEvents[]>(limits.ledgerBlocksCachedMax);
  const eventsAt = (number: bigint): TransactionEvents[] => {
    const known = newest.get(number);
    if (known !== undefined) return known;
    const block = source.ledger.block(number);
    if (block === undefined) throw fault('MANAGER_BLOCK_ABSENT', { number });
    const events = blockEvents(block);
    newest.set(number, events);
    return events;
  };
  return {
    kind: 'serverStream',
    requestBytesMax: limits.deliverRequestBytesMax,
    async serve(bytes, output) {
      const { request, signed } = parseSignedRead(
        bytes,
        SignedChaincodeEventsRequest,
        ChaincodeEventsRequest,
        'chaincode events',
      );
      checkChannel(request.channelId, source);
      const access = new ReaderAccess(signed, readerPolicies.application, source);
      access.check();
      await sendEvents(output, { request, access, eventsAt, ledger: source.ledger });
    },
  };
}

interface EventSession {
  request: ChaincodeEventsRequest;
  access: ReaderAccess;
  eventsAt: (number: bigint) => TransactionEvents[];
  ledger: EventSource['ledger'];
}

async function sendEvents(output: GrpcOutput, session: EventSession): Promise<void> {
  const { request, access, eventsAt, ledger } = session;
  const cursor = new EventCursor(request, ledger);
  for (let number = cursor.startBlock; ; number += 1n) {
    await ledger.waitForHeight(number + 1n, output.signal);
    access.check();
    const events = cursor.take(number, eventsAt(number));
    if (events.length > 0) {
      await output.send(ChaincodeEventsResponse.encode({ events, blockNumber: number }));
    } else await othersTurn(undefined, { signal: output.signal });
  }
}
