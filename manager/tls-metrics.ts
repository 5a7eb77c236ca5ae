import { readFileSync } from 'node:fs';
import { Fault } from '#base';
import { parsePemAll } from '#crypto';
import type { Metric, Sample } from './prometheus-text.ts';

const dayMs = 24 * 3600 * 1000;

/** A TLS endpoint of the zone. */
export interface TlsPlace {
  /** What it serves, for example `http`. */
  readonly name: string;
  /** PEM chain, leaf first. */
  readonly certificateFile: string;
}

/**
 * How long the certificates of the endpoints last, as their files say now. A file that cannot be read
 * counts as one that ended: somebody has to look either way.
 */
export function tlsMetrics(places: readonly TlsPlace[], nowMs: number): Metric[] {
  return [
    {
      name: 'countersign_tls_certificate_days_left',
      help: 'Days until the end of the endpoint’s TLS certificate.',
      type: 'gauge',
      samples: places.map((place): Sample => {
        return { labels: { endpoint: place.name }, value: (endMsOf(place) - nowMs) / dayMs };
      }),
    },
  ];
}

function endMsOf({ certificateFile }: TlsPlace): number {
  try {
    const [leaf] = parsePemAll(readFileSync(certificateFile, 'utf8'));
    return leaf?.notAfter.getTime() ?? 0;
  } catch (error) {
    const isUnreadable =
      error instanceof Fault || (error as NodeJS.ErrnoException).code !== undefined;
    if (!isUnreadable) throw error;
    return 0;
  }
}
