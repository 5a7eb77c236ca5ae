import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs one process's work at a time; a lock whose owner is gone is taken over.
 *
 * @throws Error when the lock is not free within `waitMsMax`.
 */
export async function withFileLock(
  file: string,
  waitMsMax: number,
  work: () => Promise<void>,
): Promise<void> {
  const deadlineMs = performance.now() + waitMsMax;
  while (!(await take(file))) {
    if (!(await ownerLives(file))) await rm(file, { force: true });
    else if (performance.now() > deadlineMs) throw new Error(`${file} is held for too long`);
    else await sleep(200);
  }
  try {
    await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function ownerLives(file: string): Promise<boolean> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  // Empty: its owner has made it and is about to write, or has just removed it.
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
