import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { carryOut } from '#cli';
import { GuardMarks, SignedGuardMarks } from '#formats';
import { countersign } from '../e2e/countersign.ts';
import { TestNetwork } from '../support/test-network.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const network = await TestNetwork.start({ peerCount: 0 });
t.teardown(() => network[Symbol.asyncDispose]());

t.test(
  'a guard’s marks are exported, and wait for their import as dangerous orders do',
  async (t) => {
    await network.deploy('notary');
    const { height } = (await network.service.get('/v1/health')).body as { height: number };
    const out = join(temporaryDir(t), 'marks');
    await countersign('guard', 'export', '--token', 'zone', '--out', out, '--dir', network.dir);
    const marks = readFileSync(out, 'utf8');
    const { statement } = SignedGuardMarks.decodeCanonical(Buffer.from(marks, 'base64'));
    t.match(GuardMarks.decodeCanonical(statement), {
      token: 'zone',
      marks: [{ channel: network.channel, number: BigInt(height - 1) }],
    });
    const ordered = carryOut(network.dir, 'zone', 'guard.import', { marks });
    await t.rejects(ordered, { code: 'CLI_ORDER_WAITING' });
  },
);
