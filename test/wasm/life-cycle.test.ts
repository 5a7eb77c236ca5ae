import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { builtInContract, instantiate, prepareContract } from '#wasm';
import { MemoryHost } from '../support/memory-host.ts';
import { buildModule } from './module-builder.ts';

const steps = ['load', 'compile', 'instantiate', 'call'];

t.test('000-4 loading, compiling, instantiating and calling are observed in this order', (t) => {
  const seen: string[] = [];
  for (const step of steps) {
    for (const edge of ['start', 'end']) {
      const listen = () => void seen.push(`${step} ${edge}`);
      const channel = `tracing:countersign.wasm.${step}:${edge}`;
      subscribe(channel, listen);
      t.teardown(() => unsubscribe(channel, listen));
    }
  }
  instantiate(prepareContract(buildModule()), new MemoryHost()).invoke('run', [], 1000);
  t.same(
    seen,
    steps.flatMap((step) => [`${step} start`, `${step} end`]),
  );
  t.end();
});

t.test(
  '000-4 a contract prepared here runs in a worker thread, and one prepared there runs here',
  async (t) => {
    const code = await builtInContract('notary');
    const worker = new Worker(new URL('./contract-worker.ts', import.meta.url), {
      workerData: { code, prepared: prepareContract(code) },
    });
    const [answer] = await new Promise<[Answer]>((resolve, reject) => {
      worker.once('message', (message: Answer) => resolve([message]));
      worker.once('error', reject);
    });
    await worker.terminate();
    const here = instantiate(answer.prepared, new MemoryHost()).invoke('get', ['x'], 1_000_000);
    t.match(here, { ok: false, reason: 'failed' });
    t.same(answer.gasUsed, [here.gasUsed, here.gasUsed]);
  },
);

interface Answer {
  prepared: ReturnType<typeof prepareContract>;
  gasUsed: number[];
}
