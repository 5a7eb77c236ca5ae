import { readFileSync } from 'node:fs';
import { Type, callHttp, checkConfig, fromBase64, toBase64, toHex, utf8 } from '#base';
import type { Static } from '#base';
import type { Certificate } from '#crypto';
import type { CaCall } from '#softhsm-config';
import { fault } from './faults.ts';

const callWaitMsMax = 30_000;
const answerBytesMax = 8 * 1024 * 1024;

/** An identity that the CA has certified. */
export interface CaCredential {
  readonly certificatePem: string;
  /** @returns the signature over `caCallContent`. */
  authorise(call: CaCall): Uint8Array | Promise<Uint8Array>;
}

interface FabricCaOptions {
  readonly url: string;
  /** One server may be several CAs. */
  readonly caName?: string;
  readonly tlsCaFile: string;
}

/**
 * A Fabric CA server, by its REST interface. Its TLS certificate is believed under the named
 * authorities only.
 *
 * @see Fabric CA lib/serverenroll.go, lib/serverrevoke.go; util/util.go, GenECDSAToken.
 */
export class FabricCa {
  readonly #options: FabricCaOptions;

  constructor(options: FabricCaOptions) {
    this.#options = options;
  }

  /**
   * @param csrPem its common name has to be the identity's name.
   * @returns PEM of the certificate.
   * @throws CLI_CA_UNREACHABLE, CLI_CA_REFUSED, CLI_CA_ANSWER_INVALID
   */
  async enroll(identity: { id: string; secret: string }, csrPem: string): Promise<string> {
    const { id, secret } = identity;
    const authorization = `Basic ${toBase64(utf8(`${id}:${secret}`))}`;
    const body = JSON.stringify({ certificate_request: csrPem, ...this.#named() });
    return certificateIn(await this.#post('/api/v1/enroll', body, authorization));
  }

  /** As `enroll`, for an identity that proves itself by the certificate it has now. */
  async reenroll(present: CaCredential, csrPem: string): Promise<string> {
    const body = { certificate_request: csrPem, ...this.#named() };
    return certificateIn(await this.#postAs(present, '/api/v1/reenroll', body));
  }

  /**
   * Revokes one certificate.
   *
   * @param registrar an identity with the attribute hf.Revoker.
   * @returns PEM of the revocation list with everything that the CA has revoked.
   */
  async revoke(registrar: CaCredential, certificate: Certificate): Promise<string> {
    const body = {
      serial: certificate.serialHex,
      aki: toHex(certificate.authorityKeyId ?? new Uint8Array(0)),
      reason: 'keycompromise',
      gencrl: true,
      ...this.#named(),
    };
    return textIn(await this.#postAs(registrar, '/api/v1/revoke', body), 'CRL');
  }

  #named(): { caname?: string } {
    const { caName } = this.#options;
    return caName === undefined ? {} : { caname: caName };
  }

  /** The signature binds method, path, body and certificate, so it is good for this call only. */
  async #postAs(who: CaCredential, path: string, content: object): Promise<unknown> {
    const body = JSON.stringify(content);
    const { certificatePem: certificate } = who;
    const signature = await who.authorise({ path, body, certificate });
    return this.#post(path, body, `${toBase64(utf8(certificate))}.${toBase64(signature)}`);
  }

  async #post(path: string, body: string, authorization: string): Promise<unknown> {
    const { url, tlsCaFile } = this.#options;
    const ca = readFileSync(tlsCaFile);
    const { status, text } = await post(new URL(path, url), { ca, body, authorization });
    const answer = readAnswer(text);
    if (!answer.success) {
      const [first] = answer.errors ?? [];
      const reason = first?.message?.slice(0, 200);
      throw fault('CLI_CA_REFUSED', { url, path, status, code: first?.code, reason });
    }
    return answer.result;
  }
}

const CaAnswer = Type.Object({
  success: Type.Boolean(),
  result: Type.Optional(Type.Unknown()),
  errors: Type.Optional(
    Type.Array(
      Type.Object({ code: Type.Optional(Type.Number()), message: Type.Optional(Type.String()) }),
    ),
  ),
});
type CaAnswer = Static<typeof CaAnswer>;

function readAnswer(text: string): CaAnswer {
  try {
    return checkConfig(CaAnswer, JSON.parse(text));
  } catch (cause) {
    throw fault('CLI_CA_ANSWER_INVALID', { what: 'JSON' }, cause);
  }
}

function certificateIn(result: unknown): string {
  return textIn(result, 'Cert');
}

/** Base64 of a text, in a member of the result. */
function textIn(result: unknown, name: string): string {
  const value = (result as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (bytes === undefined) throw fault('CLI_CA_ANSWER_INVALID', { what: name });
  return Buffer.from(bytes).toString('utf8');
}

interface Posted {
  readonly ca: Buffer;
  readonly body: string;
  readonly authorization: string;
}

async function post(
  url: URL,
  { ca, body, authorization }: Posted,
): Promise<{ status: number; text: string }> {
  const headers = { authorization, 'content-type': 'application/json' };
  const bounds = { waitMsMax: callWaitMsMax, answerBytesMax };
  try {
    const { status, content } = await callHttp({
      method: 'POST',
      url,
      ca,
      headers,
      body,
      ...bounds,
    });
    return { status, text: content.toString('utf8') };
  } catch (cause) {
    throw fault('CLI_CA_UNREACHABLE', { url: url.origin, reason: reasonOf(cause) }, cause);
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message;
}
