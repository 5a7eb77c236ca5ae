import { readFileSync } from 'node:fs';
import { callHttp } from '#base';
import type { HttpAnswer } from '#base';
import { fault } from './faults.ts';

const callWaitMsMax = 60_000;
const answerBytesMax = 64 * 1024 * 1024;

export interface ServiceAnswer {
  status: number;
  /** Parsed when the service answered JSON, otherwise the text as it came. */
  body: unknown;
}

type Call = [
  method: string,
  path: string,
  contentType: string | undefined,
  body: string | undefined,
];

/** Calls a manager over HTTPS; trusts the network's own TLS authority and no other. */
export class ServiceClient {
  readonly #origin: string;
  readonly #ca: Buffer;

  constructor(origin: string, caFile: string) {
    this.#origin = origin;
    this.#ca = readFileSync(caFile);
  }

  get(path: string): Promise<ServiceAnswer> {
    return this.#call('GET', path, undefined, undefined);
  }

  /** @returns common.Block as peers pull it. */
  async getBlock(number: bigint): Promise<Uint8Array> {
    const path = `/v1/blocks/${number}?format=protobuf`;
    const { status, content } = await this.#receive('GET', path, undefined, undefined);
    if (status !== 200) throw fault('CLI_CALL_FAILED', { path, status });
    return new Uint8Array(content);
  }

  /** Posts one request. @param jws compact JWS. */
  post(jws: string, query = ''): Promise<ServiceAnswer> {
    return this.#call('POST', `/v1/requests${query}`, 'application/jose', jws);
  }

  /** Posts many requests. @returns one parsed line per request, in their order. */
  async postMany(jwsList: readonly string[]): Promise<unknown[]> {
    const body = `${jwsList.join('\n')}\n`;
    const answer = await this.#call('POST', '/v1/requests', 'application/x-ndjson', body);
    if (answer.status !== 200) throw fault('CLI_CALL_FAILED', { status: answer.status });
    const lines = String(answer.body).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as unknown);
  }

  async #call(...call: Call): Promise<ServiceAnswer> {
    const { status, mediaType, content } = await this.#receive(...call);
    const isJson = mediaType.endsWith('json') && mediaType !== 'application/x-ndjson';
    const text = content.toString('utf8');
    return { status, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  async #receive(...[method, path, contentType, body]: Call): Promise<HttpAnswer> {
    try {
      return await callHttp({
        method,
        url: `${this.#origin}${path}`,
        ca: this.#ca,
        headers: contentType === undefined ? {} : { 'content-type': contentType },
        body,
        waitMsMax: callWaitMsMax,
        answerBytesMax,
      });
    } catch (cause) {
      throw fault('CLI_CALL_FAILED', { origin: this.#origin, path }, cause);
    }
  }
}
