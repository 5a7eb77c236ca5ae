import { contractPolicy, lifecycleNamespace } from '#formats';
import type { Ledger } from '#ledger';
import { fault } from './faults.ts';

/** The contracts' endorsement policies at the newest height; each is read once for a block. */
export class ContractPolicies {
  readonly #ledger: Pick<Ledger, 'get' | 'height'>;
  readonly #policies = new Map<string, Uint8Array>();
  #height = -1n;

  constructor(ledger: Pick<Ledger, 'get' | 'height'>) {
    this.#ledger = ledger;
  }

  /** @returns protos.ApplicationPolicy bytes. @throws MANAGER_CONTRACT_UNKNOWN */
  of(contract: string): Uint8Array {
    const { height } = this.#ledger;
    if (this.#height !== height) this.#policies.clear();
    this.#height = height;
    const known = this.#policies.get(contract);
    if (known !== undefined) return known;
    const read = (key: string) => this.#ledger.get(lifecycleNamespace, key)?.value;
    const policy = contractPolicy(contract, read);
    if (policy === undefined) throw fault('MANAGER_CONTRACT_UNKNOWN', { contract });
    this.#policies.set(contract, policy);
    return policy;
  }
}
