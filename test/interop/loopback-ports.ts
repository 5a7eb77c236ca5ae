import process from 'node:process';
import { chooseLoopbackPorts } from '#cli';

/** Ports on 127.0.0.1, all different, which no other test takes while this process runs. */
export function freeLoopbackPorts(count: number): Promise<number[]> {
  return chooseLoopbackPorts(count, `/proc/${process.pid}`);
}
