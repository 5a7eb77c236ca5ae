import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { FairTimer } from '../../hsm/fair-timer.ts';
import { eventually } from '../support/eventually.ts';

const tickMs = 20;

void t.test(
  'it counts while there is something to wait for, and rests until told again',
  async (t) => {
    let ticks = 0;
    let ticksWanted = 2;
    const timer = new FairTimer(() => {
      ticks += 1;
      return ticks < ticksWanted;
    });
    t.teardown(() => timer.stop());
    const untilTicks = (count: number) =>
      eventually(() => {
        if (ticks < count) throw new Error(`${ticks} ticks`);
      });
    timer.start();
    await untilTicks(2);
    // Timers of others go on: one that did not rest would count between them.
    for (let others = 0; others < 4; others += 1) await wait(2 * tickMs);
    t.equal(ticks, 2);
    ticksWanted = 3;
    timer.start();
    await untilTicks(3);
  },
);

void t.test('a race keeps it counting; nothing starts it once it was stopped', async (t) => {
  const timer = new FairTimer(() => false);
  let hasActed = false;
  // It keeps no process alive by itself.
  const alive = setInterval(() => {}, tickMs);
  t.teardown(() => clearInterval(alive));
  await timer.race(new Promise(() => {}), 3 * tickMs, () => {
    hasActed = true;
  });
  t.ok(hasActed);
  let ticks = 0;
  const stopped = new FairTimer(() => (ticks += 1) > 0);
  stopped.stop();
  stopped.start();
  for (let others = 0; others < 3; others += 1) await wait(2 * tickMs);
  t.equal(ticks, 0);
});
