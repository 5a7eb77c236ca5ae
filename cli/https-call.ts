import { request as httpsRequest } from 'node:https';

export interface HttpsCall {
  readonly method: string;
  readonly url: string | URL;
  /** The authorities that the server's certificate is believed under, and no other. */
  readonly ca: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Silence after which the call is given up, in milliseconds. */
  readonly waitMsMax: number;
  readonly answerBytesMax: number;
}

export interface HttpsAnswer {
  readonly status: number;
  /** Without parameters; empty when the server names none. */
  readonly mediaType: string;
  readonly content: Buffer;
}

/** Makes one call and takes its whole answer. @throws whatever went wrong on the way, as Node says it. */
export function callHttps(call: HttpsCall): Promise<HttpsAnswer> {
  const { method, url, ca, headers, body, waitMsMax, answerBytesMax } = call;
  return new Promise((resolve, reject) => {
    const options = { method, ca, timeout: waitMsMax, headers };
    const outgoing = httpsRequest(url, options, (incoming) => {
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
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
