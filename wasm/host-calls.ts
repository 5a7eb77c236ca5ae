import { emptyBytes, limits, textOf, utf8 } from '#base';
import { sha256 } from '#crypto';
import { abiStops } from './abi-stops.ts';
import { gasPrice } from './abi.ts';
import type { HostFunctionName } from './abi.ts';
import type { HostInterface } from './host.ts';
import { OpenRanges } from './open-ranges.ts';

/** Thrown through the contract's code, which cannot catch; what it means stands in {@link HostCalls}. */
export const stopSignal = new Error('the host ended the invocation');

export interface Stop {
  readonly reason: 'failed' | 'trap';
  readonly message: string;
}

/** What the host functions need of the running instance. */
export interface GuestAccess {
  readonly memory: WebAssembly.Memory;
  readonly charge: (gas: number) => void;
}

/**
 * The host functions of one instance and what they remember during one invocation.
 * Variable-length answers go through the transfer buffer: a call returns the length, the contract
 * makes room and `read` copies.
 */
export class HostCalls {
  readonly #ranges = new OpenRanges();
  #host: HostInterface;
  #guest: GuestAccess | undefined;
  #view: Uint8Array = emptyBytes;
  #args: readonly string[] = [];
  #transfer: Uint8Array = emptyBytes;
  #eventCount = 0;
  result: Uint8Array = emptyBytes;
  stop: Stop | undefined;

  constructor(host: HostInterface) {
    this.#host = host;
  }

  begin(host: HostInterface, guest: GuestAccess, args: readonly string[]): void {
    this.#host = host;
    this.#guest = guest;
    this.#view = new Uint8Array(guest.memory.buffer);
    this.#args = args;
    this.#transfer = emptyBytes;
    this.#eventCount = 0;
    this.result = emptyBytes;
    this.stop = undefined;
  }

  /** Closes what the contract left open; the simulation must know how far a range was read. */
  finish(): void {
    this.#ranges.closeAll();
  }

  /** The import object's functions, bound to this instance; rows as in `hostFunctions`. */
  functions(): Record<HostFunctionName, (...params: number[]) => number | bigint | void> {
    return {
      argCount: () => this.#argCount(),
      arg: (index) => this.#arg(index),
      read: (pointer) => this.#read(pointer),
      get: (pointer, length) => this.#get(pointer, length),
      put: (...params) => this.#put(...(params as FourNumbers)),
      remove: (pointer, length) => this.#remove(pointer, length),
      rangeOpen: (...params) => this.#rangeOpen(...(params as FiveNumbers)),
      rangeNext: (handle) => this.#rangeNext(handle),
      rangeValue: (handle) => this.#rangeValue(handle),
      rangeClose: (handle) => this.#rangeClose(handle),
      clientId: () => this.#give(utf8(this.#host.clientId())),
      clientMspId: () => this.#give(utf8(this.#host.clientMspId())),
      requestId: () => this.#give(utf8(this.#host.requestId())),
      timeMs: () => this.#timeMs(),
      sha256: (...params) => this.#sha256(...(params as ThreeNumbers)),
      emit: (...params) => this.#emit(...(params as FourNumbers)),
      setResult: (pointer, length) => this.#setResult(pointer, length),
      fail: (pointer, length) => this.#fail(pointer, length),
      transient: (pointer, length) => this.#transient(pointer, length),
    };
  }

  #argCount(): number {
    this.#charge(gasPrice.hostCall);
    return this.#args.length;
  }

  #arg(index: number): number {
    const arg = this.#args[index];
    if (arg === undefined) throw this.#trap(abiStops.argIndex);
    return this.#give(utf8(arg));
  }

  #read(pointer: number): void {
    this.#charge(gasPrice.hostCall + copyGas(this.#transfer.length));
    const target = pointer >>> 0;
    const memory = this.#memory();
    if (target + this.#transfer.length > memory.length) throw this.#trap(abiStops.pointer);
    memory.set(this.#transfer, target);
  }

  #get(pointer: number, length: number): number {
    this.#charge(gasPrice.stateCall);
    const value = this.#host.get(this.#key(pointer, length));
    if (value === undefined) return -1;
    this.#charge(copyGas(value.length));
    this.#transfer = value;
    return value.length;
  }

  #put(keyPointer: number, keyLength: number, valuePointer: number, valueLength: number): void {
    this.#charge(gasPrice.stateCall);
    const key = this.#key(keyPointer, keyLength);
    const value = this.#bytes(valuePointer, valueLength);
    // Fabric takes an empty value for a deletion.
    if (value.length === 0) throw this.#trap(abiStops.valueEmpty);
    if (value.length > limits.stateValueBytesMax) throw this.#trap(abiStops.valueLong);
    this.#charge(value.length);
    this.#host.put(key, value.slice());
  }

  #remove(pointer: number, length: number): void {
    this.#charge(gasPrice.stateCall);
    this.#host.delete(this.#key(pointer, length));
  }

  #rangeOpen(start: number, startLength: number, end: number, endLength: number, limit: number) {
    this.#charge(gasPrice.stateCall);
    const from = this.#text(start, startLength, limits.stateKeyBytesMax, abiStops.keyLong);
    const to = this.#text(end, endLength, limits.stateKeyBytesMax, abiStops.keyLong);
    if (limit < 1 || limit > limits.rangeResultsMax) throw this.#trap(abiStops.rangeLimit);
    if (this.#ranges.full) throw this.#trap(abiStops.rangesOpen);
    return this.#ranges.open(this.#host.range(from, to, limit));
  }

  #rangeNext(handle: number): number {
    this.#charge(gasPrice.stateCall);
    const entry = this.#ranges.next(handle);
    if (entry === 'closed') throw this.#trap(abiStops.rangeHandle);
    if (entry === 'end') return -1;
    this.#charge(copyGas(entry[1].length));
    this.#transfer = utf8(entry[0]);
    return this.#transfer.length;
  }

  #rangeValue(handle: number): number {
    this.#charge(gasPrice.hostCall);
    const value = this.#ranges.value(handle);
    if (value === undefined) throw this.#trap(abiStops.rangeHandle);
    this.#transfer = value;
    return value.length;
  }

  #rangeClose(handle: number): void {
    this.#charge(gasPrice.hostCall);
    if (!this.#ranges.close(handle)) throw this.#trap(abiStops.rangeHandle);
  }

  #timeMs(): bigint {
    this.#charge(gasPrice.hostCall);
    return this.#host.timeMs();
  }

  #sha256(pointer: number, length: number, target: number): void {
    const bytes = this.#bytes(pointer, length);
    this.#charge(gasPrice.stateCall + bytes.length);
    this.#bytes(target, 32).set(sha256(bytes));
  }

  #emit(namePointer: number, nameLength: number, payloadPointer: number, payloadLength: number) {
    this.#charge(gasPrice.stateCall);
    const name = this.#text(namePointer, nameLength, limits.nameBytes, abiStops.eventName);
    if (name === '') throw this.#trap(abiStops.eventName);
    const payload = this.#bytes(payloadPointer, payloadLength);
    if (payload.length > limits.eventBytesMax) throw this.#trap(abiStops.eventLong);
    if (this.#eventCount >= limits.eventsPerOperationMax) throw this.#trap(abiStops.eventsMany);
    this.#eventCount += 1;
    this.#charge(payload.length);
    this.#host.emit(name, payload.slice());
  }

  #setResult(pointer: number, length: number): void {
    const bytes = this.#bytes(pointer, length);
    if (bytes.length > limits.contractResultBytesMax) throw this.#trap(abiStops.resultLong);
    this.#charge(gasPrice.hostCall + bytes.length);
    this.result = bytes.slice();
  }

  #fail(pointer: number, length: number): never {
    const { contractMessageBytesMax } = limits;
    const message = this.#text(pointer, length, contractMessageBytesMax, abiStops.messageLong);
    this.stop = { reason: 'failed', message };
    throw stopSignal;
  }

  #transient(pointer: number, length: number): number {
    const name = this.#text(pointer, length, limits.stateKeyBytesMax, abiStops.keyLong);
    const value = this.#host.transient(name);
    if (value !== undefined) return this.#give(value);
    this.#charge(gasPrice.hostCall);
    return -1;
  }

  #give(bytes: Uint8Array): number {
    this.#charge(gasPrice.hostCall + copyGas(bytes.length));
    this.#transfer = bytes;
    return bytes.length;
  }

  #key(pointer: number, length: number): string {
    if (length === 0) throw this.#trap(abiStops.keyEmpty);
    return this.#text(pointer, length, limits.stateKeyBytesMax, abiStops.keyLong);
  }

  #text(pointer: number, length: number, bytesMax: number, tooLong: string): string {
    const bytes = this.#bytes(pointer, length);
    if (bytes.length > bytesMax) throw this.#trap(tooLong);
    this.#charge(bytes.length);
    try {
      return textOf(bytes);
    } catch {
      throw this.#trap(abiStops.utf8);
    }
  }

  /** @returns a view of the contract's memory: to be read, or copied, before the contract goes on. */
  #bytes(pointer: number, length: number): Uint8Array {
    const start = pointer >>> 0;
    const end = start + (length >>> 0);
    const memory = this.#memory();
    if (end > memory.length) throw this.#trap(abiStops.pointer);
    return memory.subarray(start, end);
  }

  #memory(): Uint8Array {
    // A memory that grew left its old buffer detached, with length 0.
    if (this.#view.length === 0) this.#view = new Uint8Array(this.#running().memory.buffer);
    return this.#view;
  }

  #charge(gas: number): void {
    this.#running().charge(gas);
  }

  #running(): GuestAccess {
    if (this.#guest === undefined)
      throw new TypeError('host function called outside an invocation');
    return this.#guest;
  }

  #trap(message: string): Error {
    this.stop = { reason: 'trap', message };
    return stopSignal;
  }
}

type ThreeNumbers = [number, number, number];
type FourNumbers = [...ThreeNumbers, number];
type FiveNumbers = [...FourNumbers, number];

function copyGas(bytes: number): number {
  return Math.ceil(bytes / gasPrice.copyBytesPerGas);
}
