import { LinkClient, limits, serveLink } from '#base';
import type { LinkServer } from '#base';
import { signerMethods } from '#formats';

/** Stands before a real signer host and can keep back what becomes of a block signature. */
export class SignerProxy implements AsyncDisposable {
  /** `calls`: the host is not asked. `answers`: it signs, and nobody hears of it. */
  keepsBack: 'nothing' | 'calls' | 'answers' = 'nothing';
  readonly #signer: LinkClient;
  #server: LinkServer | undefined;
  #kept = Promise.withResolvers<void>();

  private constructor(signerSocket: string) {
    this.#signer = new LinkClient(signerSocket);
  }

  static async start(socket: string, signerSocket: string): Promise<SignerProxy> {
    const made = new SignerProxy(signerSocket);
    made.#server = await serveLink(socket, (method, payload) => made.#pass(method, payload));
    return made;
  }

  /** Resolves when something is kept back; what is kept back later is waited for anew. */
  async kept(): Promise<void> {
    await this.#kept.promise;
    this.#kept = Promise.withResolvers<void>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signer.close();
    await this.#server?.close();
  }

  async #pass(method: number, payload: Uint8Array): Promise<Uint8Array> {
    const isBlock = method === signerMethods.signBlock;
    if (isBlock && this.keepsBack === 'calls') return this.#keep();
    const answer = await this.#signer.call(method, payload, limits.signWaitMsMax);
    return isBlock && this.keepsBack === 'answers' ? this.#keep() : answer;
  }

  #keep(): Promise<Uint8Array> {
    this.#kept.resolve();
    return new Promise(() => {});
  }
}
