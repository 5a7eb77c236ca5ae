import type { ReportedCount, SignerKeyReport, SignerReport } from '#formats';
import type { Metric, Sample } from './prometheus-text.ts';

/** A signer host's report; undefined when it did not answer. */
export interface SignerAnswer {
  readonly socket: string;
  readonly report: SignerReport | undefined;
}

const breakerValues: Readonly<Record<string, number>> = { closed: 0, halfOpen: 1, open: 2 };
const dayMs = 24 * 3600 * 1000;

/** What is said of tokens and their keys. docs/OPERATING.md lists it, with an alert for each. */
export function signerMetrics(answers: readonly SignerAnswer[], nowMs: number): Metric[] {
  const reports = answers.flatMap(({ report }) => (report === undefined ? [] : [report]));
  const keys = reports.flatMap((report) =>
    report.keys.map((key) => ({ key, labels: labelsOf(report, key) })),
  );
  return [
    gauge(
      'countersign_signer_up',
      'Whether the signer host answers.',
      answers.map(({ socket, report }) => ({
        labels: { socket },
        value: report === undefined ? 0 : 1,
      })),
    ),
    gauge(
      'countersign_token_breaker',
      '0: the token signs; 1: it is being tried; 2: calls are refused.',
      reports.map((report) => ({
        labels: tokenLabels(report),
        value: breakerValues[report.breaker] ?? 2,
      })),
    ),
    gauge(
      'countersign_token_fault',
      'Why the token does not sign.',
      reports
        .filter(({ faultCode }) => faultCode !== '')
        .map((report) => ({
          labels: { ...tokenLabels(report), code: report.faultCode },
          value: 1,
        })),
    ),
    gauge(
      'countersign_guard_fault',
      'Why the signer host signs no block any more.',
      reports
        .filter(({ guardFaultCode }) => guardFaultCode !== '')
        .map((report) => ({
          labels: { ...tokenLabels(report), code: report.guardFaultCode },
          value: 1,
        })),
    ),
    gauge(
      'countersign_signature_log_fault',
      'Why the signer host signs nothing any more for want of a record.',
      reports
        .filter(({ logFaultCode }) => logFaultCode !== '')
        .map((report) => ({
          labels: { ...tokenLabels(report), code: report.logFaultCode },
          value: 1,
        })),
    ),
    ...named(reports, 'gauge', ({ gauges }) => gauges),
    ...named(reports, 'counter', ({ counters }) => counters),
    ...keyMetrics(keys, nowMs),
  ];
}

interface ToldKey {
  readonly key: SignerKeyReport;
  readonly labels: Record<string, string>;
}

function keyMetrics(keys: readonly ToldKey[], nowMs: number): Metric[] {
  return [
    gauge(
      'countersign_key_fault',
      'Why the key does not sign.',
      keys
        .filter(({ key }) => key.faultCode !== '')
        .map(({ key, labels }) => ({ labels: { ...labels, code: key.faultCode }, value: 1 })),
    ),
    gauge(
      'countersign_key_certificate_days_left',
      'Days until the end of the key’s certificate.',
      keys
        .filter(({ key }) => key.certificateEnd !== 0n)
        .map(({ key, labels }) => ({
          labels,
          value: (Number(key.certificateEnd) * 1000 - nowMs) / dayMs,
        })),
    ),
    gauge(
      'countersign_key_version',
      'Number of the key’s version, one more with each rotation; two of a key sign while it is rotated.',
      keys.map(({ key, labels }) => ({ labels, value: key.version })),
    ),
    gauge(
      'countersign_key_imported',
      'Whether the key was brought to its token from outside.',
      keys.map(({ key, labels }) => ({ labels, value: key.isImported ? 1 : 0 })),
    ),
    {
      name: 'countersign_key_signatures_total',
      help: 'Signatures since the key was made, at least: what a crash cut off is not counted.',
      type: 'counter',
      samples: keys.map(({ key, labels }) => ({ labels, value: key.lifeSignatures })),
    },
    {
      name: 'countersign_key_signature_seconds',
      help: 'How long the token took for a signature.',
      type: 'histogram',
      samples: keys.flatMap(({ key, labels }) => histogram(key, labels)),
    },
  ];
}

function gauge(name: string, help: string, samples: Sample[]): Metric {
  return { name, help, type: 'gauge', samples };
}

/** One metric for each name that occurs, with the value of every token that has it. */
function named(
  reports: readonly SignerReport[],
  type: 'gauge' | 'counter',
  countsOf: (report: SignerReport) => readonly ReportedCount[],
): Metric[] {
  const all = reports.flatMap((report) => countsOf(report).map((count) => ({ report, count })));
  return [...Map.groupBy(all, ({ count }) => count.name)].map(([name, group]) => ({
    name: `countersign_token_${snake(name)}${type === 'counter' ? '_total' : ''}`,
    help: `As the signer host counts it: ${name}.`,
    type,
    samples: group.map(({ report, count }) => ({
      labels: tokenLabels(report),
      value: count.value,
    })),
  }));
}

function histogram(key: SignerKeyReport, labels: Record<string, string>): Sample[] {
  let below = 0n;
  const buckets = key.latencyBuckets.map(({ name, value }): Sample => {
    below += value;
    const le = name === '+Inf' ? name : String(Number(name) / 1_000_000);
    return { labels: { ...labels, le }, value: below, suffix: '_bucket' };
  });
  return [
    ...buckets,
    { labels, value: Number(key.totalUs) / 1_000_000, suffix: '_sum' },
    { labels, value: key.signatures, suffix: '_count' },
  ];
}

function tokenLabels({ tokenLabel }: SignerReport): Record<string, string> {
  return { token: tokenLabel };
}

function labelsOf(report: SignerReport, { label, role, mspid }: SignerKeyReport) {
  return { ...tokenLabels(report), key: label, role, mspid };
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
