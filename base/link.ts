import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { chmodSync, rmSync } from 'node:fs';
import { emptyBytes, textOf, utf8 } from './bytes.ts';
import { declareFaults, Fault } from './faults.ts';
import type { FaultKind } from './faults.ts';
import { limits } from './limits.ts';

const fault = declareFaults({
  BASE_LINK_BROKEN: ['busy', 'The process at the other end of the link is gone.'],
  BASE_LINK_BUSY: ['busy', 'Too many calls are in flight on this link.'],
  BASE_LINK_TIMEOUT: ['busy', 'The process at the other end did not answer in time.'],
  BASE_FRAME_INVALID: ['broken', 'A frame on a link between processes is malformed.'],
  BASE_CALL_FAILED: ['broken', 'The process at the other end failed inside.'],
});

/**
 * Calls between processes of the zone over a Unix socket.
 * Frame: length u32 (of what follows) ‖ kind u8 ‖ call id u32 ‖ method u8 ‖ payload; big-endian.
 * The payload's meaning belongs to formats/; the link only carries bytes.
 */
const frameKinds = { call: 1, answer: 2, fault: 3 } as const;
const headBytes = 10;

export type LinkHandler = (
  method: number,
  payload: Uint8Array,
  signal: AbortSignal,
) => Uint8Array | Promise<Uint8Array>;

export interface LinkServer extends AsyncDisposable {
  close(): Promise<void>;
}

/**
 * Serves calls at a Unix socket path; the socket file is for the owner only.
 *
 * @param handler its Faults travel to the caller with code, kind, sentence and detail; anything
 *   else becomes BASE_CALL_FAILED, with nothing of it disclosed.
 * @param onFailure hears of what was not a Fault, to log it.
 */
export async function serveLink(
  path: string,
  handler: LinkHandler,
  onFailure: (error: unknown) => void = () => {},
): Promise<LinkServer> {
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      sockets.delete(socket);
      gone.abort();
    });
    socket.on('error', () => socket.destroy());
    readFrames(socket, (frame) => {
      if (frame.kind === frameKinds.call) {
        void answerCall(socket, frame, handler, gone.signal, onFailure);
      } else {
        socket.destroy();
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  };
  return { close, [Symbol.asyncDispose]: close };
}

async function answerCall(
  socket: Socket,
  frame: Frame,
  handler: LinkHandler,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<void> {
  try {
    writeFrame(
      socket,
      frameKinds.answer,
      frame.id,
      frame.method,
      await handler(frame.method, frame.payload, signal),
    );
  } catch (error) {
    if (!(error instanceof Fault)) onFailure(error);
    writeFrame(socket, frameKinds.fault, frame.id, frame.method, encodeFault(error));
  }
}

/** One end of a link that calls; it reconnects on the next call after the other end was gone. */
export class LinkClient implements Disposable {
  readonly path: string;
  #socket: Socket | undefined;
  #connecting: Promise<Socket> | undefined;
  #callId = 0;
  #closed = false;
  readonly #waiting = new Map<number, PendingCall>();

  constructor(path: string) {
    this.path = path;
  }

  /** Calls not answered yet: a measure of the other end's load. */
  get callsInFlight(): number {
    return this.#waiting.size;
  }

  /**
   * @throws BASE_LINK_BROKEN, BASE_LINK_BUSY, BASE_LINK_TIMEOUT, or the fault the other end threw.
   */
  async call(method: number, payload: Uint8Array, waitMsMax: number): Promise<Uint8Array> {
    if (this.#waiting.size >= limits.linkCallsInFlightMax) throw fault('BASE_LINK_BUSY');
    const socket = await this.#connected();
    const id = (this.#callId = (this.#callId + 1) >>> 0);
    return new Promise<Uint8Array>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(fault('BASE_LINK_TIMEOUT', { path: this.path, waitMsMax }));
      }, waitMsMax);
      this.#waiting.set(id, { resolve, reject, timer });
      writeFrame(socket, frameKinds.call, id, method, payload);
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
    this.#drop();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #connected(): Promise<Socket> {
    if (this.#closed) throw fault('BASE_LINK_BROKEN', { path: this.path });
    if (this.#socket !== undefined) return this.#socket;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  #connect(): Promise<Socket> {
    return new Promise<Socket>((resolve, reject) => {
      const socket = connect(this.path);
      socket.once('connect', () => {
        this.#socket = socket;
        resolve(socket);
      });
      socket.on('error', (cause) => {
        reject(fault('BASE_LINK_BROKEN', { path: this.path }, cause));
      });
      socket.on('close', () => {
        reject(fault('BASE_LINK_BROKEN', { path: this.path }));
        // One that never connected may close after its successor did: the calls are not its own.
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        this.#drop();
      });
      readFrames(socket, (frame) => this.#settle(frame));
    });
  }

  #settle(frame: Frame): void {
    const call = this.#waiting.get(frame.id);
    if (call === undefined) return;
    this.#waiting.delete(frame.id);
    clearTimeout(call.timer);
    if (frame.kind === frameKinds.answer) call.resolve(frame.payload);
    else call.reject(decodeFault(frame.payload));
  }

  #drop(): void {
    for (const call of this.#waiting.values()) {
      clearTimeout(call.timer);
      call.reject(fault('BASE_LINK_BROKEN', { path: this.path }));
    }
    this.#waiting.clear();
  }
}

interface PendingCall {
  resolve: (payload: Uint8Array) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

interface Frame {
  kind: number;
  id: number;
  method: number;
  payload: Uint8Array;
}

function writeFrame(
  socket: Socket,
  kind: number,
  id: number,
  method: number,
  payload: Uint8Array,
): void {
  if (socket.destroyed) return;
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32BE(payload.length + headBytes - 4, 0);
  head.writeUInt8(kind, 4);
  head.writeUInt32BE(id, 5);
  head.writeUInt8(method, 9);
  socket.cork();
  socket.write(head);
  socket.write(payload);
  socket.uncork();
}

function readFrames(socket: Socket, onFrame: (frame: Frame) => void): void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let wantBytes = 4;
  socket.on('data', (chunk: Buffer) => {
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (pendingBytes < wantBytes) return;
    let buffer = pending.length === 1 ? chunk : Buffer.concat(pending);
    while (buffer.length >= 4) {
      const length = buffer.readUInt32BE(0);
      if (length < headBytes - 4 || length > limits.frameBytesMax) {
        socket.destroy();
        return;
      }
      wantBytes = 4 + length;
      if (buffer.length < wantBytes) break;
      onFrame({
        kind: buffer.readUInt8(4),
        id: buffer.readUInt32BE(5),
        method: buffer.readUInt8(9),
        payload: new Uint8Array(buffer.buffer, buffer.byteOffset + headBytes, length - 6),
      });
      buffer = buffer.subarray(wantBytes);
      wantBytes = 4;
    }
    pending = buffer.length === 0 ? [] : [buffer];
    pendingBytes = buffer.length;
  });
}

function encodeFault(error: unknown): Uint8Array {
  const known = error instanceof Fault ? error : fault('BASE_CALL_FAILED');
  const { code, kind, message, detail } = known;
  return utf8(
    JSON.stringify({ code, kind, message, detail }, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  );
}

function decodeFault(payload: Uint8Array): Fault {
  try {
    const seen = JSON.parse(textOf(payload)) as {
      code: string;
      kind: FaultKind;
      message: string;
      detail: Record<string, string | number>;
    };
    return new Fault(seen.code, seen.kind, seen.message, seen.detail);
  } catch (cause) {
    return fault('BASE_FRAME_INVALID', {}, cause);
  }
}

export const emptyPayload = emptyBytes;
