/** A thread with one signing session; the main thread has initialised the module and logged in. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadModule } from './pkcs11-module.ts';
import { SignSession } from './sign-session.ts';
import type { SignJob, SignOutcome } from './sign-session.ts';

const { module, slot } = workerData as { module: string; slot: Uint8Array };
const session = new SignSession(loadModule(module), Buffer.from(slot));

parentPort?.on('message', (message: 'close' | SignJob[]) => {
  if (message === 'close') {
    session.close();
    parentPort?.close();
    return;
  }
  const outcomes: SignOutcome[] = message.map(({ key, digest }) =>
    // Buffers arrive here as plain arrays of bytes.
    session.sign({ key: Buffer.from(key), digest }),
  );
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
  parentPort?.postMessage(outcomes);
});
