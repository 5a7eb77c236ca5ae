import { compareBytes, utf8 } from '#base';
import type { HostInterface } from '#wasm';

/** A world state in memory that behaves as a simulation over a ledger does, one client at a time. */
export class MemoryHost implements HostInterface {
  readonly state = new Map<string, Uint8Array>();
  readonly events: { name: string; payload: Uint8Array }[] = [];
  readonly transientMap = new Map<string, Uint8Array>();
  client = { id: 'Org1MSP::CN=alice', mspId: 'Org1MSP' };
  request = { id: '00'.repeat(32), timeMs: 1_700_000_000_000n };

  get(key: string): Uint8Array | undefined {
    return this.state.get(key);
  }

  put(key: string, value: Uint8Array): void {
    this.state.set(key, value);
  }

  delete(key: string): void {
    this.state.delete(key);
  }

  *range(start: string, end: string, limit: number): Generator<readonly [string, Uint8Array]> {
    const inRange = [...this.state]
      .filter(([key]) => before(start, key) && (end === '' || !before(end, key)))
      .sort(([a], [b]) => compareBytes(utf8(a), utf8(b)));
    yield* inRange.slice(0, limit);
  }

  clientId(): string {
    return this.client.id;
  }

  clientMspId(): string {
    return this.client.mspId;
  }

  requestId(): string {
    return this.request.id;
  }

  timeMs(): bigint {
    return this.request.timeMs;
  }

  transient(name: string): Uint8Array | undefined {
    return this.transientMap.get(name);
  }

  emit(name: string, payload: Uint8Array): void {
    this.events.push({ name, payload });
  }
}

/** Whether `a` stands before `b` or is it, in the state's bytewise order. */
function before(a: string, b: string): boolean {
  return compareBytes(utf8(a), utf8(b)) <= 0;
}
