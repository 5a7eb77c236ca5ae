import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';

/** Functions of PKCS#11 that the shim interferes with, by their place in CK_FUNCTION_LIST. */
export const shimFunctions = {
  C_Initialize: 0,
  C_Finalize: 1,
  C_GetSlotList: 4,
  C_GetTokenInfo: 6,
  C_OpenSession: 12,
  C_CloseSession: 13,
  C_GetSessionInfo: 15,
  C_Login: 18,
  C_Logout: 19,
  C_CreateObject: 20,
  C_DestroyObject: 22,
  C_GetAttributeValue: 24,
  C_FindObjectsInit: 26,
  C_FindObjects: 27,
  C_FindObjectsFinal: 28,
  C_SignInit: 42,
  C_Sign: 43,
  C_GenerateKeyPair: 59,
} as const;
export type ShimFunction = keyof typeof shimFunctions;

/** `struct control` of shim.c: 32-bit fields, offsets in bytes. */
const tokenFields = {
  sessionCap: 0,
  idleKillMs: 4,
  renumber: 8,
  flipEvery: 12,
  removed: 16,
  tokenFlags: 20,
  flipped: 24,
  sessionsKilled: 28,
  releases: 32,
  killCall: 36,
  killAfter: 40,
  killCountdown: 44,
} as const;
const counters: ReadonlySet<string> = new Set(['flipped', 'sessionsKilled', 'releases']);
type TokenField = keyof typeof tokenFields;

const faultsOffset = 256;
const faultBytes = 32;
const faultFields = {
  delayUs: 0,
  error: 4,
  errorCount: 8,
  hang: 12,
  lostCount: 16,
  calls: 20,
  failed: 24,
  hung: 28,
} as const;
type FaultField = keyof typeof faultFields;

const controlBytes = faultsOffset + 68 * faultBytes;
/** In place of a count: until it is set otherwise. */
export const always = 0xffffffff;

/** In place of a return value: see shim.c. */
const pretended = 0xffffffff;

/** The file that tells the shim, in whatever processes it runs, what to do. */
export class ShimControl implements Disposable {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    if (fstatSync(this.#file).size < controlBytes) ftruncateSync(this.#file, controlBytes);
  }

  /** From now on the function answers with this return value, `count` times. */
  fail(name: ShimFunction, error: number, count: number = always): void {
    this.setFault(name, 'error', error);
    this.setFault(name, 'errorCount', count);
  }

  /** The function does its work, and answers with this return value, `count` times. */
  loseAnswer(name: ShimFunction, error: number, count: number = always): void {
    this.setFault(name, 'error', error);
    this.setFault(name, 'lostCount', count);
  }

  /** The function does nothing, and answers that it did, `count` times. */
  pretend(name: 'C_DestroyObject', count: number = always): void {
    this.fail(name, pretended, count);
  }

  delay(name: ShimFunction, ms: number): void {
    this.setFault(name, 'delayUs', Math.round(ms * 1000));
  }

  /** The next calls of the function do not return, until everything is healed. */
  hang(name: ShimFunction, count: number = always): void {
    this.setFault(name, 'hang', count);
  }

  /** Calls to the function so far, by all processes. */
  calls(name: ShimFunction): number {
    return this.fault(name, 'calls');
  }

  /** The next call but `countdown` ends the process that started the one it is made in, as kill -9 does. */
  killParent(name: ShimFunction, moment: 'before' | 'after', countdown: number): void {
    this.set('killCountdown', countdown);
    this.set('killAfter', moment === 'after' ? 1 : 0);
    this.set('killCall', shimFunctions[name] + 1);
  }

  /** Everything works again; counters stay. */
  heal(): void {
    for (const name of Object.keys(shimFunctions) as ShimFunction[]) {
      for (const field of ['delayUs', 'error', 'errorCount', 'hang', 'lostCount'] as const) {
        this.setFault(name, field, 0);
      }
    }
    for (const field of Object.keys(tokenFields) as TokenField[]) {
      if (!counters.has(field)) this.set(field, 0);
    }
    this.set('releases', this.get('releases') + 1);
  }

  set(field: TokenField, value: number): void {
    this.#write(tokenFields[field], value);
  }

  get(field: TokenField): number {
    return this.#read(tokenFields[field]);
  }

  setFault(name: ShimFunction, field: FaultField, value: number): void {
    this.#write(faultsOffset + shimFunctions[name] * faultBytes + faultFields[field], value);
  }

  fault(name: ShimFunction, field: FaultField): number {
    return this.#read(faultsOffset + shimFunctions[name] * faultBytes + faultFields[field]);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #write(offset: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    writeSync(this.#file, bytes, 0, 4, offset);
  }

  #read(offset: number): number {
    const bytes = Buffer.alloc(4);
    readSync(this.#file, bytes, 0, 4, offset);
    return bytes.readUInt32LE();
  }
}
