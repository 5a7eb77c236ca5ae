import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { temporaryDir } from './temporary-dir.ts';
import type { TestScope } from './temporary-dir.ts';

/** Why a software TPM cannot be had here; undefined when it can. */
export function softwareTpmMissing(): string | undefined {
  for (const tool of ['swtpm', 'tpm2_nvread']) {
    try {
      execFileSync(tool, ['--version'], { stdio: 'pipe' });
    } catch {
      return `${tool} is not installed (Debian packages swtpm and tpm2-tools)`;
    }
  }
  return undefined;
}

/** A TPM 2.0 in software, with its state in a directory that lasts as long as the test. */
export async function startSoftwareTpm(t: TestScope): Promise<{ tcti: string; dir: string }> {
  const dir = temporaryDir(t);
  const [state, socket] = [join(dir, 'state'), join(dir, 'tpm')];
  mkdirSync(state);
  const child = spawn(
    'swtpm',
    [
      'socket',
      '--tpm2',
      `--tpmstate=dir=${state}`,
      `--server=type=unixio,path=${socket}`,
      // The tools look for the control channel beside the other one, by this name.
      `--ctrl=type=unixio,path=${socket}.ctrl`,
      '--flags=not-need-init,startup-clear',
    ],
    { stdio: 'ignore' },
  );
  t.teardown(() => child.kill('SIGKILL'));
  for (let tries = 0; !existsSync(`${socket}.ctrl`); tries += 1) {
    if (tries > 600) throw new Error('the software TPM does not start');
    await wait(50);
  }
  return { tcti: `swtpm:path=${socket}`, dir };
}
