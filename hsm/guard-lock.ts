import { createServer } from 'node:net';
import { statSync } from 'node:fs';
import { fault } from './faults.ts';

/**
 * Holds a directory for this process: two guards over one key would each allow a different block.
 * The lock is a socket in Linux's abstract namespace, so the kernel frees it however the process
 * ends. It is seen within one network namespace: containers must not share the directory.
 *
 * @throws HSM_GUARD_LOCKED
 */
export async function lockDirectory(dir: string): Promise<{ release(): Promise<void> }> {
  const { dev, ino } = statSync(dir, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(fault('HSM_GUARD_LOCKED', { dir }, cause)));
    server.listen(`\0countersign-guard-${dev}-${ino}`, resolve);
  });
  server.unref();
  return {
    release: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}
