import * as host from './countersign';

/** Ends the invocation: the request fails with this message and nothing of it is written. */
export function fail(message: string): void {
  const text = String.UTF8.encode(message);
  host.fail(changetype<usize>(text), text.byteLength);
  unreachable();
}

/** Fails with the message unless the condition holds. */
export function check(condition: bool, message: string): void {
  if (!condition) fail(message);
}

/** What the caller gets; the last one set counts, none set is an empty result. */
export function setResult(text: string): void {
  const bytes = String.UTF8.encode(text);
  host.setResult(changetype<usize>(bytes), bytes.byteLength);
}

export function setResultBytes(bytes: Uint8Array): void {
  host.setResult(bytes.dataStart, bytes.length);
}

export function emit(name: string, payload: string): void {
  const label = String.UTF8.encode(name);
  const text = String.UTF8.encode(payload);
  host.emit(changetype<usize>(label), label.byteLength, changetype<usize>(text), text.byteLength);
}

export function emitBytes(name: string, payload: Uint8Array): void {
  const label = String.UTF8.encode(name);
  host.emit(changetype<usize>(label), label.byteLength, payload.dataStart, payload.length);
}
