import { setTimeout as wait } from 'node:timers/promises';

const pollMs = 10;

/**
 * Acts again and again until it does not throw, for a minute at most: machines under load are slow.
 *
 * @throws what the last attempt threw.
 */
export async function eventually<Value>(
  act: () => Value | Promise<Value>,
  waitMsMax = 60_000,
): Promise<Value> {
  const endMs = performance.now() + waitMsMax;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await wait(pollMs);
  }
}
