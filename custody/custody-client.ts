import { LinkClient, emptyBytes, limits, textOf } from '#base';
import { custodyMethods } from './custody-methods.ts';
import type { CustodyStatus } from './custody-methods.ts';
import type { OrderAnswer } from './order-desk.ts';

/** Calls a host about orders over its socket for operators; the owner closes it. */
export class CustodyClient implements Disposable {
  readonly #link: LinkClient;

  constructor(socketPath: string) {
    this.#link = new LinkClient(socketPath);
  }

  /** @throws BASE_LINK_… */
  async status(): Promise<CustodyStatus> {
    return (await this.#call(custodyMethods.status, emptyBytes)) as CustodyStatus;
  }

  /**
   * @param signedOrder as an operator's file has it.
   * @throws CUSTODY_… it was refused; whatever the action failed with; BASE_LINK_…
   */
  async submit(signedOrder: Uint8Array): Promise<OrderAnswer> {
    return (await this.#call(custodyMethods.submit, signedOrder)) as OrderAnswer;
  }

  close(): void {
    this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #call(method: number, payload: Uint8Array): Promise<unknown> {
    return JSON.parse(textOf(await this.#link.call(method, payload, limits.orderWaitMsMax)));
  }
}
