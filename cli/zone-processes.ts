import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fault } from './faults.ts';
import type { NetworkLayout } from './network-layout.ts';

const startWaitMsMax = 30_000;
const stopWaitMsMax = 10_000;
const pollMs = 20;
/** Of a log that says why its process ended. */
const lastLines = 10;
/**
 * The engine sizes its heap for a program that has just started, and then collects the whole of it
 * every few calls, because each call brings some hundred kilobytes: four fifths of a signer host's
 * CPU time went there.
 */
const engineFlags = ['--initial-old-space-size=256', '--max-semi-space-size=32'];
/** A process that keeps dying is started ever more slowly. */
const restartDelayMsMax = 5_000;

const entries = {
  signer: '../hsm/main.ts',
  endorser: '../endorser/main.ts',
  manager: '../manager/main.ts',
  peer: '../peer/main.ts',
} as const;
type Kind = keyof typeof entries;
/** Those who are called start before those who call them. */
const startOrder: readonly Kind[] = ['signer', 'endorser', 'manager', 'peer'];

interface Running {
  name: string;
  child: ChildProcess;
  restarts: number;
}

/** The processes of one network on this machine; each is stopped by its own process id. */
export class ZoneProcesses implements AsyncDisposable {
  readonly #layout: NetworkLayout;
  readonly #running = new Map<string, Running>();
  #stopping = false;

  constructor(layout: NetworkLayout) {
    this.#layout = layout;
  }

  /** Names of all processes the network has a configuration for, in starting order. */
  static names(layout: NetworkLayout): string[] {
    const files = readdirSync(layout.configDir).map((file) => file.replace(/\.json$/, ''));
    return startOrder.flatMap((kind) =>
      files.filter((name) => name === kind || name.startsWith(`${kind}-`)).sort(),
    );
  }

  /** Starts everything and waits until it serves. @throws CLI_PROCESS_ENDED, CLI_PROCESS_SILENT */
  async startAll(): Promise<void> {
    mkdirSync(this.#layout.runDir, { recursive: true, mode: 0o700 });
    mkdirSync(this.#layout.logDir, { recursive: true });
    rmSync(this.#layout.portsFile, { force: true });
    const names = ZoneProcesses.names(this.#layout);
    for (const kind of startOrder) {
      const group = names.filter((name) => kindOf(name) === kind);
      await Promise.all(group.map((name) => this.start(name)));
    }
  }

  /** Starts one process and waits until it serves. */
  async start(name: string): Promise<void> {
    const sign = this.#signOfLife(name);
    rmSync(sign, { force: true });
    const running = this.#spawn(name);
    for (let waitedMs = 0; !existsSync(sign); waitedMs += pollMs) {
      if (hasEnded(running.child)) throw fault('CLI_PROCESS_ENDED', this.#endOf(running));
      if (waitedMs > startWaitMsMax) throw fault('CLI_PROCESS_SILENT', { name });
      await wait(pollMs);
    }
  }

  /** Names of the processes that run now. */
  names(): string[] {
    return [...this.#running.keys()];
  }

  pid(name: string): number | undefined {
    return this.#running.get(name)?.child.pid;
  }

  /** Ends one process without asking it, as a crash would; it is not started again. */
  async kill(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    if (running === undefined || hasEnded(running.child)) return;
    running.child.kill('SIGKILL');
    await ended(running.child);
  }

  /** Stops callers before the called. */
  async stopAll(): Promise<void> {
    this.#stopping = true;
    for (const kind of startOrder.toReversed()) {
      const group = [...this.#running.values()].filter(({ name }) => kindOf(name) === kind);
      await Promise.all(group.map(({ child }) => stop(child)));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stopAll();
  }

  #spawn(name: string): Running {
    const log = openSync(this.#layout.log(name), 'a');
    const script = fileURLToPath(new URL(entries[kindOf(name)], import.meta.url));
    const args = [...engineFlags, script, this.#layout.config(name)];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const running = { name, child, restarts: this.#running.get(name)?.restarts ?? 0 };
    this.#running.set(name, running);
    child.once('exit', () => void this.#revive(running));
    return running;
  }

  /** A process that ended by itself comes back; recovery is the same as the normal start. */
  async #revive(running: Running): Promise<void> {
    const { name } = running;
    // Status 2 says that starting it again cannot help: a wrong PIN must not be tried twice.
    const hopeless = running.child.exitCode === 2;
    if (this.#stopping || hopeless || this.#running.get(name) !== running) return;
    running.restarts += 1;
    this.#noteEnd(running);
    await wait(Math.min(restartDelayMsMax, 100 * 2 ** running.restarts));
    if (this.#stopping || this.#running.get(name) !== running) return;
    this.#spawn(name);
  }

  /** In the process's own log, where someone will look for why it ended. */
  #noteEnd({ name, child, restarts }: Running): void {
    const { exitCode, signalCode } = child;
    const facts = { level: 40, part: 'zone', exitCode, signal: signalCode, restarts };
    const line = JSON.stringify({ ...facts, msg: 'the process ended and is started again' });
    appendFileSync(this.#layout.log(name), `${line}\n`);
  }

  #endOf({ name, child }: Running): Record<string, string | number> {
    const log = this.#layout.log(name);
    const how = child.exitCode ?? child.signalCode ?? '';
    const lastWords = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lastLines).join('\n');
    return { name, how, log, lastWords };
  }

  /** The file that appears when the process serves. */
  #signOfLife(name: string): string {
    const kind = kindOf(name);
    if (kind === 'manager') return this.#layout.portsFile;
    return kind === 'peer' ? this.#layout.peerPortsFile(name) : this.#layout.socket(name);
  }
}

/** Reads what the manager wrote about where it listens. */
export function readPorts(file: string): { http: number; deliver: number } {
  return JSON.parse(readFileSync(file, 'utf8')) as { http: number; deliver: number };
}

function kindOf(name: string): Kind {
  return name.split('-')[0] as Kind;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWaitMsMax);
  await ended(child);
  clearTimeout(timer);
}
