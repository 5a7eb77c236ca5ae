import { readFileSync } from 'node:fs';
import { replaceFile } from '#base';
import type { CustodyLog } from './custody-log.ts';
import { fault } from './faults.ts';
import { factsOfPolicy, orderEvents } from './order-history.ts';
import { parseOperatorPolicy } from './operator-policy.ts';
import type { OperatorPolicy } from './operator-policy.ts';

/**
 * The operator policy as a file. The audit log says which policy is in force: the file gives the first
 * one, shows the newest to people, and whoever changes it without an order is found out.
 */
export class PolicyFile {
  readonly path: string;
  readonly #bytes: Uint8Array;

  /** @throws CUSTODY_POLICY_INVALID it cannot be read. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#bytes = new Uint8Array(readFileSync(path));
    } catch (cause) {
      throw fault('CUSTODY_POLICY_INVALID', { file: path }, cause);
    }
  }

  /** As the file has it; not yet in force. @throws CUSTODY_POLICY_INVALID, CUSTODY_DOCUMENT_… */
  read(): OperatorPolicy {
    return parseOperatorPolicy(this.#bytes);
  }

  /**
   * Brings the first policy into force, or checks that the file has the one in force; completes a
   * change that a crash interrupted.
   *
   * @throws CUSTODY_POLICY_FOREIGN
   */
  settle(log: CustodyLog): void {
    const { hash } = this.read();
    const { policy, policyBytes, policyBefore } = log.history;
    if (policy === undefined || policyBytes === undefined) {
      log.record(orderEvents.policyAdopted, factsOfPolicy(this.#bytes, hash));
    } else if (hash === policyBefore?.hash && hash !== policy.hash) {
      this.replace(policyBytes);
    } else if (hash !== policy.hash) {
      throw fault('CUSTODY_POLICY_FOREIGN', { file: this.path, hash, inForce: policy.hash });
    }
  }

  /** The whole file or none of it, on the disk when this returns. */
  replace(bytes: Uint8Array): void {
    replaceFile(this.path, bytes);
  }
}
