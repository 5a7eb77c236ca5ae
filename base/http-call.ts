import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface HttpCall {
  readonly method: string;
  readonly url: string | URL;
  /** The authorities that the server's certificate is believed under, and no other; with `https:`. */
  readonly ca: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Silence after which the call is given up, in milliseconds. */
  readonly waitMsMax: number;
  readonly answerBytesMax: number;
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Without parameters; empty when the server names none. */
  readonly mediaType: string;
  readonly content: Buffer;
}

/** Makes one call and takes its whole answer. @throws whatever went wrong on the way, as Node says it. */
export function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const { method, url, ca, headers, body, waitMsMax, answerBytesMax, signal } = call;
  return new Promise((resolve, reject) => {
    const common = { method, timeout: waitMsMax, headers, ...(signal && { signal }) };
    const isPlain = new URL(url).protocol === 'http:';
    // Without authorities nobody is believed; Node's own list is never meant.
    const tls = { ca: ca === undefined ? [] : Buffer.from(ca) };
    const outgoing = isPlain
      ? httpRequest(url, common, take)
      : httpsRequest(url, { ...common, ...tls }, take);
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', reject);
    outgoing.end(body);

    function take(incoming: IncomingMessage): void {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > answerBytesMax) incoming.destroy(new RangeError('answer too large'));
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        const [mediaType = ''] = (incoming.headers['content-type'] ?? '').split(';');
        resolve({
          status: incoming.statusCode ?? 0,
          mediaType,
          content: Buffer.concat(chunks),
        });
      });
    }
  });
}
