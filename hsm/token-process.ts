import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Fault, fromHex, limits, toHex } from '#base';
import type { FaultKind } from '#base';
import { importPublicKey } from '#crypto';
import type { PublicKey } from '#crypto';
import { fault } from './faults.ts';
import type { WrappedKey } from './pkcs11-imports.ts';
import type { Handle } from './pkcs11-module.ts';
import { isUnderWay } from './process-state.ts';
import { TokenSeat } from './token-seat.ts';
import { controlDescriptor, firstSeatDescriptor } from './token-wire.ts';
import type { OpenedKey, TokenOrder, TokenPlace, TokenReply, WantedKey } from './token-wire.ts';

/** A key of the token as this process found it. */
export interface ProcessKey {
  readonly handle: Handle;
  readonly publicKey: PublicKey;
  /** Whether a signature through this handle verified in service. */
  proved: boolean;
}

export interface TokenProcessEvents {
  onFree(seat: TokenSeat): void;
  /** A session of it was given something to do. */
  onBusy(): void;
  onExit(process: TokenProcess, how: string): void;
}

const tokenMain = fileURLToPath(new URL('./token-main.ts', import.meta.url));

/** A process that holds the token, or stands by to do so; killing it is the only way out of a call that hangs. */
export class TokenProcess {
  readonly seats: readonly TokenSeat[];
  /** Counts findings of the keys: a handle of an earlier one may name another key. */
  generation = 0;
  /** Failures since the last signature. */
  failures = 0;
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #waiting = new Map<number, (reply: TokenReply) => void>();
  #keys = new Map<string, ProcessKey>();
  #orders = 0;
  #refreshing: Promise<void> | undefined;
  #hasEnded = false;

  /** @param environment all that the process gets of one: what the module reads. */
  constructor(sessions: number, environment: Record<string, string>, events: TokenProcessEvents) {
    const pipes = Array.from({ length: 1 + sessions }, () => 'pipe' as const);
    // A signal would let whoever may send it look into the process with a debugger.
    this.#child = spawn(process.execPath, ['--disable-sigusr1', tokenMain], {
      env: environment,
      stdio: ['ignore', 'inherit', 'inherit', ...pipes],
    });
    const sockets = this.#child.stdio as unknown as readonly Socket[];
    this.#control = sockets[controlDescriptor] as Socket;
    const lines = createInterface({ input: this.#control });
    lines.on('line', (line) => this.#hear(line));
    // It passes on what befalls the socket.
    lines.on('error', () => this.kill());
    this.#control.on('error', () => this.kill());
    this.seats = sockets
      .slice(firstSeatDescriptor)
      .map((socket) => new TokenSeat(this, socket, events));
    const ended = (how: string) => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      this.#leave();
      events.onExit(this, how);
    };
    this.#child.once('error', (error) => ended(error.message));
    this.#child.once('exit', (code, signal) => ended(signal ?? `exit status ${code}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  keyOf(label: string): ProcessKey {
    const key = this.#keys.get(label);
    if (key === undefined) throw fault('HSM_KEY_UNKNOWN', { key: label });
    return key;
  }

  /**
   * Opens the token, finds and proves the keys. May be tried again after a fault.
   *
   * @throws HSM_… as the token's process found it; HSM_TOKEN_LOST when it did not answer, and is killed.
   */
  async open(place: TokenPlace): Promise<void> {
    this.#learn(await this.#order({ do: 'open', place }, limits.tokenOpenWaitMsMax));
  }

  /** Logs in where the login is lost, and finds and proves the keys anew; one at a time. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#order({ do: 'refresh' }, limits.signHangMsMax)
      .then((keys) => this.#learn(keys))
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  /** As `refresh`, for other keys from now on. */
  async useKeys(keys: readonly WantedKey[]): Promise<void> {
    this.#learn(await this.#order({ do: 'refresh', keys }, limits.signHangMsMax));
  }

  /** @returns SubjectPublicKeyInfo of the label's key, made now unless there was one. */
  generate(label: string): Promise<PublicKey> {
    return this.#keyAfter({ do: 'generate', label });
  }

  /** As `generate`, for a key that the token must have. @throws HSM_KEY_ABSENT */
  find(key: WantedKey): Promise<PublicKey> {
    return this.#keyAfter({ do: 'find', key });
  }

  /** @returns the public half of the wrapping key of this label, made now unless there was one. */
  generateWrapping(label: string): Promise<PublicKey> {
    return this.#keyAfter({ do: 'generateWrapping', label });
  }

  /** @throws HSM_WRAPPING_KEY_ABSENT, HSM_IMPORT_FAILED, HSM_KEY_UNPROVED it is not that public key's. */
  async import(label: string, { wrappingLabel, wrapped, publicKey }: WrappedKey): Promise<void> {
    const key = { label, spkiHex: toHex(publicKey.spki), origin: 'imported' } as const;
    await this.#keyAfter({ do: 'import', key, wrappingLabel, wrappedHex: toHex(wrapped) });
  }

  /** @throws HSM_KEY_UNDESTROYED; the token's own faults. */
  async destroy(label: string): Promise<void> {
    await this.#order({ do: 'destroy', label }, limits.tokenOpenWaitMsMax);
  }

  /**
   * Takes note that so much time went by; sessions that do not answer give up their jobs.
   *
   * @returns for how long the quietest session has not answered.
   */
  quietMsAfter(ms: number, stallMsMax: number): number {
    // As long as it only waits for the machine, it is not the token that does not answer.
    const isQuiet = this.seats.some((seat) => seat.isQuiet);
    const stallMs = isQuiet && isUnderWay(this.pid ?? 0) ? 0 : ms;
    for (const seat of this.seats) seat.watch(ms, stallMs, stallMsMax);
    return Math.max(...this.seats.map(({ quietMs }) => quietMs));
  }

  /** Closes sessions and module in order; a token that hangs is not waited for. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    for (const seat of this.seats) seat.end();
    await this.#order({ do: 'close' }, limits.signHangMsMax).catch(() => {});
    this.kill();
    await this.#exit();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
    this.#leave();
  }

  #exit(): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
    });
  }

  #leave(): void {
    for (const seat of this.seats) seat.leave();
    const { code, kind, message } = fault('HSM_TOKEN_LOST');
    const failed = { code, kind, message, detail: { name: 'PROCESS_ENDED' } };
    for (const [id, reply] of this.#waiting) reply({ id, failed });
    this.#waiting.clear();
  }

  #learn(keys: readonly OpenedKey[]): void {
    this.generation += 1;
    this.failures = 0;
    this.#keys = new Map(
      keys.map(({ label, handleHex, spkiHex }) => {
        const handle = Buffer.from(fromHex(handleHex) as Uint8Array);
        const publicKey = importPublicKey(fromHex(spkiHex) as Uint8Array);
        return [label, { handle, publicKey, proved: false }];
      }),
    );
  }

  async #keyAfter(order: TokenOrder): Promise<PublicKey> {
    const [key] = await this.#order(order, limits.tokenOpenWaitMsMax);
    return importPublicKey(fromHex(key?.spkiHex ?? '') ?? new Uint8Array(0));
  }

  async #order(order: TokenOrder, waitMsMax: number): Promise<readonly OpenedKey[]> {
    if (this.#hasEnded) throw fault('HSM_TOKEN_LOST');
    const id = (this.#orders += 1);
    const reply = await new Promise<TokenReply>((resolve) => {
      const timer = setTimeout(() => this.kill(), waitMsMax);
      this.#waiting.set(id, (heard) => {
        clearTimeout(timer);
        resolve(heard);
      });
      this.#control.write(`${JSON.stringify({ id, ...order })}\n`);
    });
    if ('keys' in reply) return reply.keys;
    const { code, kind, message, detail } = reply.failed;
    throw new Fault(code, kind as FaultKind, message, detail);
  }

  #hear(line: string): void {
    const reply = JSON.parse(line) as TokenReply;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    waiting?.(reply);
  }
}
