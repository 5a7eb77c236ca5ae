import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fault } from './faults.ts';

/** From here on no privilege is needed, and few programs have their home. */
const lowestPort = 10_000;
const highestPort = 65_535;
/** Where the kernel begins to hand out ports, if it does not say so. */
const usualKernelRange = [32_768, 60_999] as const;
const triesMax = 1_000;

/**
 * Ports on 127.0.0.1 for services that keep theirs while they are down: none that the kernel gives
 * to whoever connects somewhere, and none that another holder has chosen.
 *
 * @param holder a path; the ports are its own for as long as it exists.
 * @throws CLI_PORTS_EXHAUSTED
 */
export async function chooseLoopbackPorts(count: number, holder: string): Promise<number[]> {
  const [from, to] = portRange(kernelRange());
  forgetHolders();
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries >= triesMax) throw fault('CLI_PORTS_EXHAUSTED', { from, to });
    const port = randomInt(from, to + 1);
    if (await takePort(port, holder)) ports.push(port);
  }
  return ports;
}

/** Whether the port is the holder's from now on. */
export async function takePort(port: number, holder: string): Promise<boolean> {
  return reserve(port, holder) && (await isFree(port));
}

/** The larger part of what lies below and above the kernel's own range, first and last port. */
export function portRange(kernel: readonly [number, number]): [number, number] {
  const below = kernel[0] - lowestPort;
  const above = highestPort - kernel[1];
  return below >= above ? [lowestPort, kernel[0] - 1] : [kernel[1] + 1, highestPort];
}

/** ip(7), ip_local_port_range. */
function kernelRange(): readonly [number, number] {
  const file = '/proc/sys/net/ipv4/ip_local_port_range';
  if (!existsSync(file)) return usualKernelRange;
  const [from = usualKernelRange[0], to = usualKernelRange[1]] = readFileSync(file, 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return [from, to];
}

/** A file per port names its holder; one whose holder is gone is free. */
function reservationsDir(): string {
  const dir = join(tmpdir(), `countersign-ports-${userInfo().uid}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/** Networks are removed without a word: their ports are free from then on, their files of no use. */
function forgetHolders(): void {
  const dir = reservationsDir();
  for (const port of readdirSync(dir)) {
    const file = join(dir, port);
    const holder = holderOf(file);
    // Without a name it is being written now.
    if (holder !== '' && !existsSync(holder)) rmSync(file, { force: true });
  }
}

function holderOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function reserve(port: number, holder: string): boolean {
  const file = join(reservationsDir(), String(port));
  try {
    if (existsSync(file) && !existsSync(readFileSync(file, 'utf8'))) rmSync(file);
    writeFileSync(file, holder, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else has just taken it, or is about to.
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
