import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { limits } from '#base';

/**
 * Says to whoever asks that the holder of a guard lives, until it is released. The socket is in
 * Linux's abstract namespace, so it goes with its process; it is seen within one network namespace,
 * and outside of it only the guard's epochs keep two holders apart.
 *
 * @param holder hex; names the socket together with the directory.
 */
export async function announceHolder(
  dir: string,
  holder: string,
): Promise<{ release(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('here');
  });
  server.listen(addressOf(dir, holder));
  await once(server, 'listening');
  server.unref();
  return {
    release: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/**
 * Whether the holder answers. One that was stopped, or whose thread is stuck in a call, does not:
 * it may be succeeded, and finds out when it comes back.
 */
export async function isHolderHere(dir: string, holder: string): Promise<boolean> {
  const socket = connect(addressOf(dir, holder));
  socket.setTimeout(limits.guardHolderWaitMsMax, () => socket.destroy());
  const heard = new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
  try {
    return await heard;
  } finally {
    socket.destroy();
  }
}

function addressOf(dir: string, holder: string): string {
  const { dev, ino } = statSync(dir, { bigint: true });
  return `\0countersign-guard-${dev}-${ino}-${holder.slice(0, 32)}`;
}
