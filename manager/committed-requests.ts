import { bundleOf, parseTransaction } from '#formats';
import type { Ledger } from '#ledger';
import { fault } from './faults.ts';
import type { CommittedRequest } from './request-answer.ts';

/** Requests that are in a block, read back from the ledger. */
export class CommittedRequests {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }
}
