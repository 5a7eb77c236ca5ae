import { Fault, limits } from '#base';
import type { Log } from '#base';
import { isLowSRaw, joseKeyKind } from '#crypto';
import { lifecycleKeys, lifecycleNamespace, parseRequest } from '#formats';
import type { ParsedRequest } from '#formats';
import type { Ledger } from '#ledger';
import { grantAllows } from '#policy';
import type { ChannelConfig, Grant, Identity } from '#policy';
import { fault } from './faults.ts';
import { withRequestId } from './named-fault.ts';
import type { AdmittedRequest } from './pipeline-types.ts';
import type { Whitelist } from './whitelist.ts';

export interface AdmissionParts {
  /** The configuration in force after the newest block of `ledger`. */
  channelConfig: () => ChannelConfig;
  whitelist: Whitelist;
  ledger: Pick<Ledger, 'get' | 'hasRequest' | 'request'>;
  /** Whether a request is between admission and its outcome. */
  isPending: (requestId: string) => boolean;
  /** Whether client signatures may have a high s, as RFC 7515 allows. */
  highSAllowed: boolean;
  log: Log;
}

/** The edge of the zone: who may ask for what, before any endorser hears of it. */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #audit: Log;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#audit = parts.log.child({ part: 'audit' });
  }

  /**
   * Admits one request, or says why not. The signature itself is the endorsers' to verify: this
   * process is not trusted to have done it, and doing it twice would cost as much as everything else.
   *
   * @param bytes compact JWS.
   * @param nowMs milliseconds since the Unix epoch.
   * @throws FORMATS_REQUEST_… malformed; MANAGER_CHANNEL_UNKNOWN, MANAGER_CLIENT_UNKNOWN,
   *   MANAGER_CLIENT_REVOKED, MANAGER_CERTIFICATE_UNTRUSTED, MANAGER_ALGORITHM_MISMATCH,
   *   MANAGER_GRANT_MISSING, MANAGER_CONTRACT_UNKNOWN, MANAGER_REQUEST_EXPIRED,
   *   MANAGER_REQUEST_EARLY, MANAGER_SIGNATURE_HIGH, MANAGER_REQUEST_REPLAYED,
   *   MANAGER_REQUEST_PENDING.
   */
  admit(bytes: Uint8Array, nowMs: number): AdmittedRequest {
    const request = parseRequest(bytes);
    try {
      this.#checkChannel(request);
      const client = this.#clientOf(request, nowMs);
      checkAlgorithm(request, client.identity);
      this.#checkGrants(request, client);
      this.#checkContract(request);
      checkTime(request, nowMs);
      this.#checkSignatureForm(request);
      this.#checkNew(request);
      const { certificate } = client.identity;
      return { request, certificate: certificate.der, keyId: request.header.kid };
    } catch (error) {
      this.#note(error, request);
      throw withRequestId(error, request.requestId);
    }
  }

  #checkChannel({ payload }: ParsedRequest): void {
    if (payload.channel === this.#parts.channelConfig().channelId) return;
    throw fault('MANAGER_CHANNEL_UNKNOWN', { channel: payload.channel });
  }

  /** The client as its entry of the whitelist has it; a client of its own before its organisation. */
  #clientOf({ header }: ParsedRequest, nowMs: number): Client {
    const { whitelist } = this.#parts;
    const carried = header.x5c?.[0];
    const own =
      carried === undefined
        ? whitelist.clientOfKey(header.kid ?? '')
        : whitelist.clientOfCertificate(carried);
    if (own !== undefined) {
      if (own.status === 'revoked') throw fault('MANAGER_CLIENT_REVOKED', { kid: own.kid });
      return { identity: this.#identity(own.certificate.der, nowMs), grants: own.grants };
    }
    if (carried === undefined) throw fault('MANAGER_CLIENT_UNKNOWN', { kid: header.kid });
    const identity = this.#identity(carried, nowMs);
    const { mspid, subjectId } = identity;
    const organisation = whitelist.organisation(mspid);
    if (organisation === undefined) throw fault('MANAGER_CLIENT_UNKNOWN', { client: subjectId });
    if (organisation.status === 'revoked') throw fault('MANAGER_CLIENT_REVOKED', { msp: mspid });
    return { identity, grants: organisation.grants };
  }

  #identity(certificate: Uint8Array, nowMs: number): Identity {
    try {
      return this.#parts.channelConfig().identityOfCertificate(certificate, new Date(nowMs));
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      throw fault('MANAGER_CERTIFICATE_UNTRUSTED', { ...cause.detail }, cause);
    }
  }

  #checkGrants({ payload }: ParsedRequest, { identity, grants }: Client): void {
    const { channel, contract } = payload;
    for (const operation of payload.operations) {
      if (grantAllows(grants, { channel, contract, function: operation.function })) continue;
      throw fault('MANAGER_GRANT_MISSING', {
        client: identity.subjectId,
        channel,
        contract,
        function: operation.function,
      });
    }
  }

  #checkContract({ payload: { contract } }: ParsedRequest): void {
    // Deployment itself is a contract that is always there.
    if (contract === lifecycleNamespace) return;
    const key = lifecycleKeys.metadata(contract);
    if (this.#parts.ledger.get(lifecycleNamespace, key) !== undefined) return;
    throw fault('MANAGER_CONTRACT_UNKNOWN', { contract });
  }

  #checkSignatureForm({ header, signature }: ParsedRequest): void {
    if (this.#parts.highSAllowed || isLowSRaw(header.alg, signature)) return;
    throw fault('MANAGER_SIGNATURE_HIGH', { alg: header.alg });
  }

  #checkNew({ requestId }: ParsedRequest): void {
    const { ledger, isPending } = this.#parts;
    if (isPending(requestId)) throw fault('MANAGER_REQUEST_PENDING');
    if (!ledger.hasRequest(requestId)) return;
    const place = ledger.request(requestId);
    throw fault('MANAGER_REQUEST_REPLAYED', {
      block: place?.blockNumber,
      transaction: place?.txId,
      requestIndex: place?.requestIndex,
    });
  }

  /** Refusals of persons, not of forms, are audited. */
  #note(error: unknown, { requestId }: ParsedRequest): void {
    if (!(error instanceof Fault)) return;
    const { code, kind, detail } = error;
    if (kind !== 'denied' && kind !== 'unauthenticated') return;
    this.#audit.warn({ code, requestId, ...detail }, 'A request was refused.');
  }
}

interface Client {
  identity: Identity;
  grants: readonly Grant[];
}

/** A key must never be used with an algorithm that another key was made for. */
function checkAlgorithm({ header }: ParsedRequest, { certificate }: Identity): void {
  const keyKind = certificate.publicKey.kind;
  if (joseKeyKind(header.alg) === keyKind) return;
  throw fault('MANAGER_ALGORITHM_MISMATCH', { alg: header.alg, keyKind });
}

function checkTime({ payload: { iat, exp } }: ParsedRequest, nowMs: number): void {
  const nowSeconds = nowMs / 1_000;
  if (exp <= nowSeconds) throw fault('MANAGER_REQUEST_EXPIRED', { exp });
  if (iat > nowSeconds + limits.clockSkewSecondsMax) throw fault('MANAGER_REQUEST_EARLY', { iat });
}
