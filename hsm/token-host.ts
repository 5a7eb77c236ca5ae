import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { Fault, emptyBytes, fromHex, readSecret, toHex } from '#base';
import { importPublicKey } from '#crypto';
import { fault } from './faults.ts';
import { openPinRecord } from './pin-record.ts';
import { classifyPkcs11, readPkcs11Error } from './pkcs11-errors.ts';
import { makeWrappingKey, unwrapKeyPair } from './pkcs11-imports.ts';
import { destroyKeyPair, generateKeyPair } from './pkcs11-key-pairs.ts';
import { findTokenKey } from './pkcs11-keys.ts';
import type { TokenKey } from './pkcs11-keys.ts';
import { initialiseModule, loadModule } from './pkcs11-module.ts';
import type { Pkcs11 } from './pkcs11-module.ts';
import { openToken } from './pkcs11-token.ts';
import type { Token } from './pkcs11-token.ts';
import { proveKey } from './prove-key.ts';
import { firstSeatDescriptor } from './token-wire.ts';
import type { OpenedKey, TokenOrder, TokenPlace, TokenReply, WantedKey } from './token-wire.ts';

type Outcome = Omit<Extract<TokenReply, { keys: unknown }>, 'id'> | { failed: FaultParts };
type FaultParts = Extract<TokenReply, { failed: unknown }>['failed'];

/** The token's side of a signer host: opens the token, proves its keys, starts a thread per session. */
export class TokenHost {
  #module: Pkcs11 | undefined;
  #opened: { token: Token; place: TokenPlace } | undefined;
  readonly #threads: Worker[] = [];
  #isClosing = false;

  /** Performs one order; a fault is an outcome. Calls into the module block this thread. */
  async perform(order: TokenOrder): Promise<Outcome> {
    try {
      return { keys: await this.#keysAfter(order) };
    } catch (error) {
      const { code, kind, message, detail } = error instanceof Fault ? error : faultOf(error);
      return { failed: { code, kind, message, detail: detail as FaultParts['detail'] } };
    }
  }

  #keysAfter(order: TokenOrder): readonly OpenedKey[] | Promise<readonly OpenedKey[]> {
    switch (order.do) {
      case 'open':
        return this.#open(order.place);
      case 'refresh':
        return this.#refresh(order.keys);
      case 'generate':
        return this.#generate(order.label);
      case 'find':
        return proveKeys(this.#demandOpened().token, [order.key]);
      case 'generateWrapping':
        return this.#generateWrapping(order.label);
      case 'import':
        return this.#import(order);
      case 'destroy':
        return this.#destroy(order.label);
      case 'close':
        break;
    }
    return this.#close();
  }

  #open(place: TokenPlace): OpenedKey[] {
    const module = (this.#module ??= loadModule(place.module));
    initialiseModule(module, place.module);
    try {
      const record = openPinRecord(place.stateDir);
      const token = openToken(module, place.tokenLabel, readSecret(place.pinFile), record);
      const keys = proveKeys(token, place.keys);
      this.#opened = { token, place };
      this.#startThreads(place, token);
      return keys;
    } catch (error) {
      // Nothing else is in flight here, so the module can be begun anew in this process.
      finalise(module);
      throw error;
    }
  }

  /** One after the other: callers wait for the first, and all at once would hold each other up. */
  #startThreads(place: TokenPlace, token: Token): void {
    if (this.#threads.length >= place.sessions || this.#isClosing) return;
    const thread = startThread(place.module, token, firstSeatDescriptor + this.#threads.length);
    this.#threads.push(thread);
    thread.once('online', () => this.#startThreads(place, token));
  }

  /** Stale handles and a lost login look alike: private objects vanish with the login. */
  #refresh(wanted?: readonly WantedKey[]): OpenedKey[] {
    const { token, place } = this.#demandOpened();
    token.logIn(readSecret(place.pinFile));
    const keys = wanted ?? place.keys;
    const proved = proveKeys(token, keys);
    this.#opened = { token, place: { ...place, keys } };
    return proved;
  }

  /** Read back and proved like any other key, before anybody hears of it. */
  #generate(label: string): OpenedKey[] {
    const { token } = this.#demandOpened();
    generateKeyPair(token, label);
    return proveKeys(token, [{ label }]);
  }

  #generateWrapping(label: string): OpenedKey[] {
    const spki = makeWrappingKey(this.#demandOpened().token, label);
    return [{ label, handleHex: '', spkiHex: toHex(spki) }];
  }

  #import({ key, wrappingLabel, wrappedHex }: Extract<TokenOrder, { do: 'import' }>): OpenedKey[] {
    const { token } = this.#demandOpened();
    const bytesOf = (hex: string) => fromHex(hex) ?? emptyBytes;
    const publicKey = importPublicKey(bytesOf(key.spkiHex));
    const brought = { wrappingLabel, wrapped: bytesOf(wrappedHex), publicKey };
    unwrapKeyPair(token, key.label, brought);
    return proveKeys(token, [key]);
  }

  #destroy(label: string): OpenedKey[] {
    destroyKeyPair(this.#demandOpened().token, label);
    return [];
  }

  #demandOpened(): { token: Token; place: TokenPlace } {
    if (this.#opened === undefined) throw fault('HSM_TOKEN_LOST');
    return this.#opened;
  }

  /** The signer host has closed the threads' descriptors: each closes its session and ends. */
  async #close(): Promise<readonly OpenedKey[]> {
    this.#isClosing = true;
    await Promise.all(this.#threads.map((thread) => ended(thread)));
    if (this.#module !== undefined && this.#opened !== undefined) finalise(this.#module);
    return [];
  }
}

function startThread(module: string, token: Token, descriptor: number): Worker {
  const thread = new Worker(new URL('./session-thread.ts', import.meta.url), {
    workerData: { descriptor, module, slot: Uint8Array.from(token.slot) },
    // It handles some hundred bytes at a time.
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
  });
  // A thread that dies inside the module has left the module's locks in an unknown state.
  thread.on('error', () => process.kill(process.pid, 'SIGKILL'));
  return thread;
}

function ended(thread: Worker): Promise<void> {
  if (thread.threadId === -1) return Promise.resolve();
  return new Promise((resolve) => {
    thread.once('exit', () => resolve());
  });
}

/** Handles may name other keys after a token came back, so every key is found and proved anew. */
function proveKeys(token: Token, wanted: readonly WantedKey[]): OpenedKey[] {
  return wanted.map(({ label, spkiHex: certified, origin }) => {
    const key: TokenKey = findTokenKey(token, label, origin);
    const spkiHex = toHex(key.publicKey.spki);
    if (certified !== undefined && certified !== spkiHex) {
      throw fault('HSM_KEY_MISMATCH', { key: label, certificate: 'names another key' });
    }
    proveKey(token, key);
    return { label, handleHex: toHex(key.handle), spkiHex };
  });
}

function finalise(module: Pkcs11): void {
  try {
    module.C_Finalize();
  } catch (error) {
    // It may never have been initialised, or be beyond it; initialising says so.
    readPkcs11Error(error);
  }
}

/** What a return value in the middle of opening a token means for it. */
function faultOf(error: unknown): Fault {
  const failure = readPkcs11Error(error);
  const detail = { name: failure.name };
  switch (classifyPkcs11(failure, 'setup')) {
    case 'operator':
      return fault('HSM_TOKEN_REFUSES', detail, error);
    case 'saturation':
      return fault('HSM_SESSION_BUSY', detail, error);
    default:
      return fault('HSM_TOKEN_LOST', detail, error);
  }
}
