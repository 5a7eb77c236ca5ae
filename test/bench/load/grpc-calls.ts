import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { readFileSync } from 'node:fs';

/** Unary gRPC calls on bare HTTP/2: as little as a client can do, so that the machine is the server's. */
export class GrpcCalls {
  readonly #session: ClientHttp2Session;

  /** @param endpoint `host:port`, which the certificate names. */
  constructor(endpoint: string, tlsRootFile: string) {
    this.#session = connect(`https://${endpoint}`, { ca: readFileSync(tlsRootFile) });
    this.#session.setMaxListeners(0);
    this.#session.once('connect', (session) => session.setLocalWindowSize(16 * 1024 * 1024));
  }

  /** @returns the answer's message. @throws Error with gRPC's status and message. */
  unary(path: string, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let trailers: Record<string, unknown> = {};
      stream.on('response', (headers) => {
        if (headers['grpc-status'] !== undefined) trailers = headers;
      });
      stream.on('trailers', (headers) => {
        trailers = headers;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        const status = trailers['grpc-status'];
        // Five bytes of gRPC's own precede the message.
        if (status === '0') resolve(new Uint8Array(Buffer.concat(chunks).subarray(5)));
        else reject(new Error(`${path}: ${String(status)} ${String(trailers['grpc-message'])}`));
      });
      stream.end(framed(request));
    });
  }

  close(): void {
    this.#session.close();
  }
}

function framed(request: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + request.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(request.length, 1);
  frame.set(request, 5);
  return frame;
}
