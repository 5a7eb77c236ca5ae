import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../figure.ts';
import type { Figure } from '../figure.ts';
import type { ClientQuestion, Committed } from './client-main.ts';
import type { RemotePart } from './remote-part.ts';
import type { CountsByLink, WideArea } from './wide-area.ts';

export interface SingleTransactions {
  /** The figures' first word. */
  name: string;
  conditions: string;
  area: WideArea;
  client: RemotePart;
  /** The link on which the client asks, when it crosses the wide area. */
  clientLink: string | undefined;
  observers: ReadonlyMap<string, RemotePart>;
  questions: readonly ClientQuestion[];
}

/** Time for what a transaction leaves behind, such as acknowledgements; the idle network has as much. */
const settleMs = 250;
const idleMsMax = 10_000;
const warmCount = 5;

/** Sends one transaction at a time and waits until every peer has it. */
export async function measureSingly(measured: SingleTransactions): Promise<Figure[]> {
  const { area, client, observers, questions } = measured;
  for (const question of questions.slice(0, warmCount)) await client.ask(question);
  await sleep(settleMs);
  const clientWaits: number[] = [];
  const peerWaits = new Map([...observers.keys()].map((name): [string, number[]] => [name, []]));
  const roundTrips: number[] = [];
  const busy: CountsByLink[] = [];
  await area.takeCounts();
  const startMs = performance.now();
  for (const question of questions.slice(warmCount)) {
    const { startMs, endMs, block } = await client.ask<Committed>(question);
    clientWaits.push(endMs - startMs);
    for (const [name, observer] of observers) {
      const atMs = await observer.ask<number>({ block });
      peerWaits.get(name)?.push(atMs - startMs);
    }
    await sleep(settleMs);
    const counts = await area.takeCounts();
    busy.push(counts);
    // The client asks when the answer before is there, and answers may be too small for a flight.
    roundTrips.push(counts.get(measured.clientLink ?? '')?.flights.up ?? 0);
  }
  const windowMs = performance.now() - startMs;
  const idle = await idleTotal(area, windowMs);
  const total = totalOf(busy);
  const count = busy.length;
  const figures = [
    ...latencies('client', clientWaits),
    ...[...peerWaits].flatMap(([name, waits]) => latencies(`commit_at_${name}`, waits)),
    { figure: 'client_round_trips', value: median(roundTrips), unit: 'round trips' },
    {
      figure: 'wide_area_flights_per_transaction',
      value: (total.flights - idle.flights) / count,
      unit: 'flights',
    },
    { figure: 'wide_area_flights_idle', value: idle.flights / count, unit: 'flights' },
    {
      figure: 'wide_area_bytes_per_transaction',
      value: (total.bytes - idle.bytes) / count,
      unit: 'bytes',
    },
    ...linkFigures(busy),
  ];
  const conditions = `${measured.conditions}; ${count} transactions one after the other`;
  return figures.map((figure) => ({
    ...figure,
    figure: `${measured.name}_${figure.figure}`,
    conditions,
  }));
}

/** What passes in such a time when nobody asks for anything, gossip above all. */
async function idleTotal(
  area: WideArea,
  windowMs: number,
): Promise<{ flights: number; bytes: number }> {
  const idleMs = Math.min(windowMs, idleMsMax);
  await sleep(idleMs);
  const { flights, bytes } = totalOf([await area.takeCounts()]);
  return { flights: (flights * windowMs) / idleMs, bytes: (bytes * windowMs) / idleMs };
}

function latencies(what: string, waits: readonly number[]): Omit<Figure, 'conditions'>[] {
  const sorted = waits.toSorted((a, b) => a - b);
  return [
    { figure: `${what}_p50_ms`, value: percentile(sorted, 0.5), unit: 'ms' },
    { figure: `${what}_p99_ms`, value: percentile(sorted, 0.99), unit: 'ms' },
  ];
}

/** The median keeps out what happens by the clock, such as gossip. */
function linkFigures(counts: readonly CountsByLink[]): Omit<Figure, 'conditions'>[] {
  const links = [...new Set(counts.flatMap((one) => [...one.keys()]))];
  return links.flatMap((link) => {
    const of = (direction: 'up' | 'down') =>
      median(counts.map((one) => one.get(link)?.flights[direction] ?? 0));
    const [from, to] = link.split(' ');
    return [
      { figure: `flights_${from}_to_${to}`, value: of('up'), unit: 'flights' },
      { figure: `flights_${to}_back_to_${from}`, value: of('down'), unit: 'flights' },
    ].filter(({ value }) => value > 0);
  });
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function totalOf(counts: readonly CountsByLink[]): { flights: number; bytes: number } {
  const links = counts.flatMap((one) => [...one.values()]);
  const sum = (of: (link: (typeof links)[number]) => number) =>
    links.reduce((total, link) => total + of(link), 0);
  return {
    flights: sum(({ flights }) => flights.up + flights.down),
    bytes: sum(({ bytes }) => bytes.up + bytes.down),
  };
}
