import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tlsMetrics } from '../../manager/tls-metrics.ts';
import { makeTlsPair } from './channel.ts';

const dir = t.testdir();
const dayMs = 24 * 3600 * 1000;
const endMs = new Date('2049-01-01').getTime();

function daysLeft(content: string | undefined, nowMs: number): unknown {
  const certificateFile = join(dir, content === undefined ? 'none.pem' : 'tls.pem');
  if (content !== undefined) writeFileSync(certificateFile, content);
  const [metric] = tlsMetrics([{ name: 'http', certificateFile }], nowMs);
  return metric?.samples[0]?.value;
}

t.test('monitoring is told how long an endpoint’s certificate lasts', async (t) => {
  const { certificate, root } = await makeTlsPair();
  t.equal(daysLeft(certificate, endMs - 3 * dayMs), 3);
  t.equal(daysLeft(`${certificate}${root}`, endMs + dayMs), -1, 'of the leaf, after its end too');
});

t.test('a file that cannot be read counts as a certificate that ended long ago', async (t) => {
  for (const content of [undefined, '', 'no PEM']) {
    t.equal(daysLeft(content, endMs), -endMs / dayMs);
  }
});
