import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';
import { TpmAnchor } from '../../hsm/tpm-anchor.ts';
import { softwareTpmMissing, startSoftwareTpm } from '../support/software-tpm.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const skip = softwareTpmMissing() ?? false;
const nvIndex = '0x1800100';
const hash = sha256(utf8('block'));

t.test(
  'a guard file restored from yesterday is refused by the TPM’s counter',
  { skip },
  async (t) => {
    const { tcti, dir } = await startSoftwareTpm(t);
    const authFile = join(dir, 'auth');
    writeFileSync(authFile, 'a secret of this host', { mode: 0o600 });
    const counter = await TpmAnchor.define({ tcti, nvIndex, authFile });
    const stateDir = temporaryDir(t);
    const file = join(stateDir, 'blocks.guard');
    const open = () => BlockGuard.open(stateDir, { anchor: new TpmAnchor(counter) });

    const yesterday = await open();
    await yesterday.allow({ channel: 'ch', number: 1n, headerHash: hash, previousHash: hash });
    await yesterday.close();
    copyFileSync(file, join(dir, 'backup'));
    const today = await open();
    await today.allow({ channel: 'ch', number: 2n, headerHash: hash, previousHash: hash });
    await today.close();
    copyFileSync(join(dir, 'backup'), file);
    await t.rejects(open(), {
      code: 'HSM_GUARD_ROLLED_BACK',
      kind: 'fatal',
      detail: { epoch: 1n, anchored: 2n },
    });
  },
);

t.test(
  'a counter made anew on the same TPM does not start below the old one',
  { skip },
  async (t) => {
    const { tcti, dir } = await startSoftwareTpm(t);
    const authFile = join(dir, 'auth');
    writeFileSync(authFile, 'a secret of this host', { mode: 0o600 });
    const first = await TpmAnchor.define({ tcti, nvIndex, authFile });
    const anchor = new TpmAnchor(first);
    t.equal(await anchor.read(), 0n);
    t.equal(await anchor.increment(), 1n);
    t.equal(await anchor.increment(), 2n);
    execFileSync('tpm2_nvundefine', [nvIndex, '-C', 'o', '-T', tcti], { stdio: 'pipe' });
    const second = await TpmAnchor.define({ tcti, nvIndex, authFile });
    t.ok(BigInt(second.startValue) > BigInt(first.startValue) + 2n);
  },
);

t.test('without the TPM, or its secret, nothing is signed', { skip }, async (t) => {
  const { tcti, dir } = await startSoftwareTpm(t);
  const authFile = join(dir, 'auth');
  writeFileSync(authFile, 'a secret of this host', { mode: 0o600 });
  const counter = await TpmAnchor.define({ tcti, nvIndex, authFile });
  writeFileSync(join(dir, 'other'), 'not the secret');
  for (const wrong of [
    { ...counter, tcti: `swtpm:path=${join(dir, 'nowhere')}` },
    { ...counter, authFile: join(dir, 'other') },
    { ...counter, nvIndex: '0x1800101' },
  ]) {
    await t.rejects(BlockGuard.open(temporaryDir(t), { anchor: new TpmAnchor(wrong) }), {
      code: 'HSM_ANCHOR_UNREADABLE',
    });
  }
});
