import { fromBase64, limits } from '#base';
import { isJoseAlgorithm } from '#crypto';
import type { JoseAlgorithm } from '#crypto';
import { fault } from './faults.ts';
import { memberFault, readObject, readToken } from './request-members.ts';
import type { JsonObject } from './strict-json.ts';

/** The `typ` that keeps JWS made for anything else from being a request. */
export const requestType = 'countersign-request';

/** How a request was signed, and by whom: a registered key's name or a certificate chain. */
export interface RequestHeader {
  alg: JoseAlgorithm;
  kid?: string;
  /** X.509 DER, the signer's certificate first. */
  x5c?: Uint8Array[];
}

/**
 * Reads the protected header. Everything it may say is listed: `crit`, `b64`, `jwk`, `jku` and
 * what else there is are refused, since a member that is skipped is a member that is believed.
 *
 * @throws FORMATS_REQUEST_…
 * @see RFC 7515 section 4.1, RFC 8725 section 3.
 */
export function readRequestHeader(bytes: Uint8Array): RequestHeader {
  const header = readObject(bytes, 'header', members);
  const alg = readAlgorithm(header['alg']);
  if (header['typ'] !== requestType) throw fault('FORMATS_REQUEST_TYPE_WRONG');
  const { kid, x5c } = header;
  if ((kid === undefined) === (x5c === undefined)) throw fault('FORMATS_REQUEST_KEY_AMBIGUOUS');
  return kid === undefined
    ? { alg, x5c: readCertificates(x5c) }
    : { alg, kid: readToken(header, 'kid') };
}

const members = { alg: true, typ: true, kid: false, x5c: false } satisfies JsonObject;

function readAlgorithm(alg: unknown): JoseAlgorithm {
  if (typeof alg !== 'string') throw memberFault('INVALID', 'alg');
  if (alg.toLowerCase() === 'none') throw fault('FORMATS_REQUEST_ALGORITHM_NONE');
  if (!isJoseAlgorithm(alg)) throw fault('FORMATS_REQUEST_ALGORITHM_UNKNOWN');
  return alg;
}

/** Base64 with padding here, not base64url: RFC 7515 section 4.1.6. */
function readCertificates(x5c: unknown): Uint8Array[] {
  if (!Array.isArray(x5c) || x5c.length === 0) throw memberFault('INVALID', 'x5c');
  if (x5c.length > limits.x5cCertificatesMax) throw fault('FORMATS_REQUEST_CERTIFICATES_TOO_MANY');
  return x5c.map((text: unknown) => {
    if (typeof text !== 'string') throw memberFault('INVALID', 'x5c');
    if (text.length > Math.ceil(limits.certificateBytes / 3) * 4) {
      throw fault('FORMATS_REQUEST_CERTIFICATE_TOO_LARGE');
    }
    const der = fromBase64(text);
    if (der === undefined || der.length === 0) throw memberFault('INVALID', 'x5c');
    return der;
  });
}
