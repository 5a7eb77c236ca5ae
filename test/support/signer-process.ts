import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SignerClient } from '#formats';
import { signerHostMain } from '#hsm';
import type { SignerConfig } from '#hsm';
import type { TestToken } from './softhsm.ts';
import { compileCache, startChildrenPlainly } from './plain-children.ts';
import type { TestScope } from './temporary-dir.ts';

startChildrenPlainly();

/** A signer host in its own process, and a client of it. */
export interface SignerProcess {
  readonly pid: number;
  readonly client: SignerClient;
  readonly socket: string;
  /** Everything it wrote, line by line. */
  readonly log: readonly string[];
  /** Its exit status, once it has ended by itself or otherwise. */
  readonly exited: Promise<number | null>;
  /** Ends it as its parent would; its exit status. */
  stop(): Promise<number | null>;
  /** kill -9, now. */
  kill(): Promise<void>;
}

/** A signer host that did not start: its exit status and the last line of its log. */
export class SignerRefused extends Error {
  readonly exitCode: number | null;
  readonly code: string;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(exitCode: number | null, lastLine: string) {
    super(lastLine);
    this.exitCode = exitCode;
    this.detail = lastLine.startsWith('{') ? (JSON.parse(lastLine) as typeof this.detail) : {};
    this.code = String(this.detail['code']);
  }
}

/** The configuration a test's token is served with; state in `state` of the token's directory. */
export function signerConfig(token: TestToken, changes: Partial<SignerConfig> = {}): SignerConfig {
  return {
    socket: join(token.dir, 'signer.sock'),
    stateDir: join(token.dir, 'state'),
    module: token.module,
    softhsmConfig: token.softhsmConfig,
    tokenLabel: token.tokenLabel,
    pinFile: token.pinFile,
    mode: 'serving',
    processes: 1,
    sessions: 1,
    logLevel: 'info',
    keys: [...token.certificateOf].map(([label, { file }]) => {
      const role = token.roles.get(label) ?? 'node';
      const channels = role === 'ordering' ? { channels: ['ch'] } : {};
      return { label, role, mspid: token.mspid, certificateFile: file, ...channels };
    }),
    ...changes,
  };
}

let configs = 0;

/** Starts `hsm/main.ts` and waits until it serves. @throws SignerRefused */
export async function startSigner(
  t: TestScope,
  token: TestToken,
  changes: Partial<SignerConfig> = {},
): Promise<SignerProcess> {
  const config = signerConfig(token, changes);
  configs += 1;
  const configFile = join(token.dir, `signer-${configs}.json`);
  writeFileSync(configFile, JSON.stringify(config));
  // Nothing of the test's environment may be needed.
  const child = spawn(process.execPath, [signerHostMain, configFile], {
    env: compileCache(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const log: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const onLine = (line: string) => {
      log.push(line);
      if (line.includes('The signer host serves.')) resolve();
    };
    createInterface(child.stdout).on('line', onLine);
    createInterface(child.stderr).on('line', onLine);
    child.once('close', (code: number | null) => {
      // The module writes lines of its own, at any time.
      const ours = log.findLast((line) => line.startsWith('{'));
      reject(new SignerRefused(code, ours ?? log.at(-1) ?? ''));
    });
  });
  const client = new SignerClient(config.socket);
  const end = async (signal: NodeJS.Signals) => {
    client.close();
    child.kill(signal);
    await exited;
  };
  t.teardown(() => end('SIGKILL'));
  return {
    pid: child.pid as number,
    client,
    socket: config.socket,
    log,
    exited,
    stop: async () => {
      await end('SIGTERM');
      return child.exitCode;
    },
    kill: () => end('SIGKILL'),
  };
}
