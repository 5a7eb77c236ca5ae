import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { signerCounters } from '../../hsm/signer-meter.ts';

const projectDir = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(projectDir, path), 'utf8');
const rules = read('docs/alerts.yaml');
const operating = read('docs/OPERATING.md');

/** Metrics by name, as the manager's sources and the signer hosts' counters have them. */
function metricNames(): string[] {
  const files = readdirSync(join(projectDir, 'manager')).filter((name) => name.endsWith('.ts'));
  const named = files.flatMap((file) => [
    ...read(`manager/${file}`).matchAll(/'(countersign_\w+)'/g),
  ]);
  const snake = (name: string) => name.replaceAll(/[A-Z]/g, (one) => `_${one.toLowerCase()}`);
  const [, gauges = ''] = read('hsm/signer-report.ts').split(/gauges: counts\(|counters: counts\(/);
  const gaugeNames = [...gauges.matchAll(/^ {6}(\w+):/gm)].map(([, name]) => name as string);
  return [
    ...named.map(([, name]) => name as string),
    ...signerCounters.map((name) => `countersign_token_${snake(name)}_total`),
    ...gaugeNames.map((name) => `countersign_token_${snake(name)}`),
  ];
}

const used = new Set([...rules.matchAll(/countersign_\w+/g)].map(([name]) => name));
const withoutSuffix = (name: string) => name.replace(/_(bucket|sum|count)$/, '');

t.test('every metric has an alert, and every alert a metric', async (t) => {
  const names = metricNames();
  t.ok(names.length >= 20, `${names.length} metrics`);
  const bare = new Set([...used].map(withoutSuffix));
  t.strictSame(
    names.filter((name) => !bare.has(name)),
    [],
    'metrics without an alert',
  );
  t.strictSame(
    [...bare].filter((name) => !names.includes(name)),
    [],
    'alerts without a metric',
  );
});

t.test('every alert names a runbook that is there', async (t) => {
  const anchors = [...operating.matchAll(/^## (.+)$/gm)].map(([, heading]) =>
    (heading as string).toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
  );
  const runbooks = [...rules.matchAll(/runbook: OPERATING\.md#(\S+)/g)].map(([, one]) => one);
  t.equal(runbooks.length, [...rules.matchAll(/- alert:/g)].length, 'each has one');
  t.strictSame(
    [...new Set(runbooks)].filter((one) => !anchors.includes(one as string)),
    [],
  );
});
