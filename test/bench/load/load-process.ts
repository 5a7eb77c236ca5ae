import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMicroseconds } from '../process-cpu.ts';
import type { LoadOrder, LoadResult } from './load-program.ts';

/** The processes of a network that serve transactions. */
export type ServerProcesses = () => readonly { name: string; pid: number | undefined }[];

export interface MeasuredLoad extends LoadResult {
  /** CPU time of each server process during the load. */
  serverCpuUs: Map<string, number>;
}

/** What still works when the last client has its answer is counted too. */
const settleMs = 500;

/** Runs a load program in a process of its own and counts what the servers spent meanwhile. */
export async function underLoad(
  program: 'sdk' | 'lean',
  order: LoadOrder,
  servers: ServerProcesses,
): Promise<MeasuredLoad> {
  const child = fork(join(import.meta.dirname, `${program}-main.ts`), {
    execArgv: ['--no-deprecation'],
  });
  try {
    const answer = () =>
      new Promise<unknown>((resolve, reject) => {
        child.once('message', resolve);
        child.once('exit', (code) => reject(new Error(`the load program ended with ${code}`)));
      });
    const ready = answer();
    child.send(order);
    await ready;
    const before = cpuOf(servers);
    const done = answer();
    child.send('go');
    const result = (await done) as LoadResult;
    await sleep(settleMs);
    const after = cpuOf(servers);
    const spent = [...after].map(([name, us]): [string, number] => [
      name,
      us - (before.get(name) ?? 0),
    ]);
    return { ...result, serverCpuUs: new Map(spent) };
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

function cpuOf(servers: ServerProcesses): Map<string, number> {
  return new Map(servers().map(({ name, pid }) => [name, cpuMicroseconds(pid)]));
}
