/** What a place answers to bytes, in a form that can be compared with another's answer. */
import { toHex } from '#base';
import { BundleEvents, PeerDeliverResponse, bundleEventName } from '#formats';
import type { ChaincodeEventsResponse } from '#formats';
import { DeliverClient } from '../manager/deliver-client.ts';
import type { Place } from './reading-places.ts';

/** What somebody answers to bytes: bytes, or the code of a status. */
export async function answerOf(
  { connection }: Place,
  path: string,
  request: Uint8Array,
): Promise<string | number> {
  const deadline = new Date(Date.now() + 20_000);
  return connection.unary(path, request, { deadline }).then(
    (bytes) => toHex(bytes),
    (error: { code: number }) => error.code,
  );
}

/** The first messages of a stream of events: names of events by block. */
export async function eventsOf({ connection }: Place, request: Uint8Array, messages: number) {
  using stream = connection.events(request, { deadline: new Date(Date.now() + 20_000) });
  const told = [];
  for (let count = 0; count < messages; count += 1) told.push(await stream.next());
  return told;
}

/** A stock peer knows nothing of bundles: what its one event says is what the zone tells one by one. */
export function withBundlesTold(response: ChaincodeEventsResponse | undefined) {
  const events = response?.events.flatMap((event) => {
    if (event.eventName !== bundleEventName) return [event];
    const { events: each } = BundleEvents.decode(event.payload);
    return each.map(({ name, payload }, index) => ({
      ...event,
      txId: index === each.length - 1 ? event.txId : `${event.txId}/${index}`,
      eventName: name,
      payload: Buffer.from(payload),
    }));
  });
  return { ...response, events };
}

/** Everything that comes for a request for blocks, up to and with a status, as hex. */
export async function deliveredBy(
  place: Place,
  method: string,
  request: Uint8Array,
): Promise<string[]> {
  using client = new DeliverClient(place.port, place.root, `protos.Deliver/${method}`);
  client.ask(request);
  const all: string[] = [];
  for (;;) {
    const bytes = await client.nextBytes();
    if (bytes === undefined) return all;
    all.push(toHex(bytes));
    if (PeerDeliverResponse.decode(bytes).status !== undefined) return all;
  }
}
