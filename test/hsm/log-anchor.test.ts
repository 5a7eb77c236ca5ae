import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { silentLog, systemClock } from '#base';
import { segmentsIn } from '#custody';
import type { SignerConfig } from '#hsm';
import { openRecords } from '../../hsm/host-logs.ts';
import { TpmAnchor } from '../../hsm/tpm-anchor.ts';
import { operatorSetting } from '../support/operators.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import { softwareTpmMissing, startSoftwareTpm } from '../support/software-tpm.ts';

const skip = softwareTpmMissing() ?? false;

/** A host's disk and its TPM, without a token: checkpoints wait for it. */
async function anchoredHost(t: Test) {
  const { tcti, dir } = await startSoftwareTpm(t);
  const authFile = join(dir, 'auth');
  writeFileSync(authFile, 'a secret of this host', { mode: 0o600 });
  const anchor = await TpmAnchor.define({ tcti, nvIndex: '0x1800100', authFile });
  const stateDir = temporaryDir(t);
  const operatorPolicyFile = join(dir, 'operators.json');
  writeFileSync(operatorPolicyFile, operatorSetting().policyBytes);
  const custody = { operatorPolicyFile, auditDir: stateDir, adminSocket: join(dir, 'socket') };
  const config = { stateDir, tokenLabel: 'org1', anchor, custody } as unknown as SignerConfig;
  const open = () => openRecords(config, { log: silentLog, clock: systemClock });
  return { stateDir, open, counter: new TpmAnchor(anchor) };
}

t.test(
  'a log that lacks the end that the TPM knows of keeps its host from starting',
  { skip },
  async (t) => {
    const { stateDir, open, counter } = await anchoredHost(t);
    const orderLog = join(stateDir, 'audit.jsonl');
    const signatureLog = join(stateDir, 'signatures');
    const kept = temporaryDir(t);
    {
      await using records = await open();
      copyFileSync(orderLog, join(kept, 'old.jsonl'));
      cpSync(signatureLog, join(kept, 'old'), { recursive: true });
      await records.guard.renew();
    }
    const stands = await counter.read();
    t.equal(stands, 2n, 'one more for the start, and for the end');
    copyFileSync(orderLog, join(kept, 'new.jsonl'));
    const refused = { code: 'HSM_LOG_ROLLED_BACK', kind: 'fatal' };

    copyFileSync(join(kept, 'old.jsonl'), orderLog);
    await t.rejects(open(), {
      ...refused,
      detail: { log: 'test-zone/org1', anchored: 1n, stands },
    });
    rmSync(orderLog);
    await t.rejects(open(), { ...refused, detail: { anchored: 0n } }, 'nor with none');
    copyFileSync(join(kept, 'new.jsonl'), orderLog);

    const [newest] = segmentsIn(signatureLog).slice(-1);
    const whole = readFileSync(newest!.path);
    writeFileSync(newest!.path, readFileSync(join(kept, 'old', '00000001.jsonl')));
    await t.rejects(open(), { ...refused, detail: { log: 'org1/signatures', anchored: 1n } });
    rmSync(newest!.path);
    await t.rejects(open(), { ...refused, detail: { anchored: 0n } }, 'nor with none');

    writeFileSync(newest!.path, whole);
    await using records = await open();
    t.equal(await counter.read(), 3n, 'nothing was counted while it was refused');
    t.equal(records.logs.signatures.failure, undefined);
  },
);

t.test('a crash between the logs and the counter is no lost end', { skip }, async (t) => {
  const { open, counter } = await anchoredHost(t);
  {
    await using records = await open();
    for (const log of records.logs.all) log.anchor(counter.name, (await counter.read()) + 1n);
  }
  await using records = await open();
  t.equal(records.logs.signatures.anchoredAt(counter.name), await counter.read());
});
