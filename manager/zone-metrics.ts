import { Fault } from '#base';
import type { Clock } from '#base';
import { SignerClient } from '#formats';
import type { Ledger } from '#ledger';
import { prometheusText } from './prometheus-text.ts';
import type { Metric } from './prometheus-text.ts';
import { signerMetrics } from './signer-metrics.ts';
import type { SignerAnswer } from './signer-metrics.ts';
import { tlsMetrics } from './tls-metrics.ts';
import type { TlsPlace } from './tls-metrics.ts';
import type { StageTotal } from './stage-meter.ts';

export interface ZoneMetricsParts {
  readonly ledger: Ledger;
  readonly stages: () => Readonly<Record<string, StageTotal>>;
  /** gRPC calls and streams being served. */
  readonly open: () => { calls: number; streams: number };
  /** How often a reader asked for blocks after ones that the ledger lacks. */
  readonly ahead: () => number;
  readonly tls: readonly TlsPlace[];
  readonly clock: Clock;
}

/** What monitoring is told of the zone: the manager's own figures, and the signer hosts' reports. */
export class ZoneMetrics implements Disposable {
  readonly #signers: ReadonlyMap<string, SignerClient>;
  readonly #parts: ZoneMetricsParts;

  /** @param sockets where signer hosts report; nothing is signed there. */
  constructor(sockets: readonly string[], parts: ZoneMetricsParts) {
    this.#signers = new Map(sockets.map((socket) => [socket, new SignerClient(socket)]));
    this.#parts = parts;
  }

  /** @returns Prometheus text. */
  async text(): Promise<string> {
    const answers = await Promise.all(
      [...this.#signers].map(async ([socket, client]): Promise<SignerAnswer> => {
        try {
          return { socket, report: await client.report() };
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          return { socket, report: undefined };
        }
      }),
    );
    const nowMs = this.#parts.clock.nowMs();
    const ends = tlsMetrics(this.#parts.tls, nowMs);
    return prometheusText([...this.#own(), ...ends, ...signerMetrics(answers, nowMs)]);
  }

  [Symbol.dispose](): void {
    for (const client of this.#signers.values()) client.close();
  }

  #own(): Metric[] {
    const { ledger, stages, open, ahead } = this.#parts;
    const totals = Object.entries(stages());
    const { calls, streams } = open();
    return [
      {
        name: 'countersign_block_height',
        help: 'Blocks on the ledger.',
        type: 'gauge',
        samples: [{ value: ledger.height }],
      },
      {
        name: 'countersign_readers_ahead_total',
        help: 'How often a reader knew blocks that the ledger lacks.',
        type: 'counter',
        samples: [{ value: ahead() }],
      },
      {
        name: 'countersign_grpc_open',
        help: 'gRPC calls that wait for their answer, and streams that are open.',
        type: 'gauge',
        samples: [
          { labels: { kind: 'calls' }, value: calls },
          { labels: { kind: 'streams' }, value: streams },
        ],
      },
      {
        name: 'countersign_stage_runs_total',
        help: 'How often a stage of the pipeline ran.',
        type: 'counter',
        samples: totals.map(([stage, { count }]) => ({ labels: { stage }, value: count })),
      },
      {
        name: 'countersign_stage_seconds_total',
        help: 'How long a stage of the pipeline took, all runs together.',
        type: 'counter',
        samples: totals.map(([stage, { totalMs }]) => ({
          labels: { stage },
          value: totalMs / 1000,
        })),
      },
    ];
  }
}
