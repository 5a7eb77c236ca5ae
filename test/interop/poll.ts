import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 10;

/** Waits until something holds. @throws Error when it does not in time. */
export async function until(
  what: string,
  waitMsMax: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + waitMsMax;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${waitMsMax} ms for ${what}`);
    await sleep(pollMs);
  }
}
