import { LruMap, latin1Of } from '#base';
import type { Fault } from '#base';
import { verifyJose } from '#crypto';
import { parseRequest } from '#formats';
import type { ParsedRequest } from '#formats';
import type { ChannelConfig, Identity } from '#policy';
import { fault } from './faults.ts';

/** Verified signatures remembered, so that a bundle formed anew costs no second verification. */
const verifiedMax = 50_000;

export interface RequestContext {
  channel: string;
  contract: string;
  config: ChannelConfig;
  /** The transaction's time. */
  at: Date;
  /** Certificates of registered clients by key id, DER. */
  clients: ReadonlyMap<string, Uint8Array>;
  wasExecuted: (requestId: string) => boolean;
}

export interface VerifiedRequest {
  request: ParsedRequest;
  identity: Identity;
}

/**
 * The endorser's own judgement of a request: it does not lean on what the manager checked before.
 * One instance lives as long as its endorser.
 */
export class RequestVerifier {
  /** Request hash and key fingerprint of good signatures; both, since a kid may change its key. */
  readonly #verified = new LruMap<string, true>(verifiedMax);

  /**
   * @param bytes the compact JWS.
   * @throws FORMATS_REQUEST_…, POLICY_…, ENDORSER_… saying why it must not be executed.
   */
  verify(bytes: Uint8Array, context: RequestContext): VerifiedRequest {
    const request = parseRequest(bytes);
    checkPlace(request, context);
    checkTime(request, context.at);
    if (context.wasExecuted(request.requestId)) {
      throw fault('ENDORSER_REQUEST_REPLAYED', { requestId: request.requestId });
    }
    const identity = context.config.identityOfCertificate(
      certificateOf(request, context.clients),
      context.at,
    );
    this.#checkSignature(request, identity);
    return { request, identity };
  }

  #checkSignature(request: ParsedRequest, identity: Identity): void {
    const key = identity.certificate.publicKey;
    // Both ends have one length: id and key name what was signed and by whom.
    const memo = `${request.requestId}${latin1Of(request.signature)}${key.fingerprint}`;
    if (this.#verified.get(memo) === true) return;
    if (!verifyJose(request.header.alg, key, request.signingInput, request.signature)) {
      throw fault('ENDORSER_SIGNATURE_BAD', { requestId: request.requestId });
    }
    this.#verified.set(memo, true);
  }
}

function checkPlace({ payload }: ParsedRequest, context: RequestContext): void {
  if (payload.channel !== context.channel || payload.contract !== context.contract) {
    throw fault('ENDORSER_REQUEST_MISPLACED', {
      channel: payload.channel,
      contract: payload.contract,
    });
  }
}

function checkTime({ payload, requestId }: ParsedRequest, at: Date): void {
  const nowSeconds = at.getTime() / 1000;
  if (payload.exp <= nowSeconds) throw fault('ENDORSER_REQUEST_EXPIRED', { requestId });
}

function certificateOf(
  request: ParsedRequest,
  clients: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const { header } = request;
  const certificate = header.x5c?.[0] ?? clients.get(header.kid ?? '');
  if (certificate === undefined) throw fault('ENDORSER_CLIENT_UNKNOWN', { kid: header.kid });
  return certificate;
}

export function refusalOf(requestIndex: number, reason: Fault) {
  return { requestIndex, code: reason.code, kind: reason.kind, sentence: reason.message };
}
