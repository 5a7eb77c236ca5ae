/** Requests with any part replaced, for tests; their signatures are none. */
import { Fault, toBase64Url, utf8 } from '#base';
import { assembleJws, parseRequest, requestType } from '#formats';

export const goodPayload = {
  channel: 'deeds',
  contract: 'notary',
  operations: [{ function: 'deposit', args: ['ab12', 'Grüße.pdf'] }],
  nonce: 'AAECAwQFBgcICQoLDA0ODw',
  iat: 1_700_000_000,
  exp: 1_700_000_600,
};

export const goodHeader = { alg: 'ES256', typ: requestType, kid: 'clerk-7' };

/** A request whose header and payload are the good ones with these members put over them. */
export function requestOf(over: { header?: object; payload?: object }): string {
  const part = (value: unknown) => toBase64Url(utf8(JSON.stringify(value)));
  const header = part({ ...goodHeader, ...over.header });
  return `${header}.${part({ ...goodPayload, ...over.payload })}.AAAA`;
}

export function jwsOf(signingInput: Uint8Array): string {
  return assembleJws(signingInput, new Uint8Array(64));
}

/** The code a request is refused with, undefined when it is read. */
export function code(jws: string | Uint8Array): string | undefined {
  try {
    parseRequest(jws);
    return undefined;
  } catch (error) {
    if (error instanceof Fault && error.kind === 'malformed') return error.code;
    throw error;
  }
}
