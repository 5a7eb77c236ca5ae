import { lifecycleNamespace, readDefinition } from '#formats';
import type { ContractCode } from './contract-code.ts';
import { fault } from './faults.ts';
import type { RequestHost } from './request-host.ts';
import type { Invocable } from './run-bundle.ts';
import type { StateSource } from './simulator.ts';

export interface OpenedContract {
  contract: Invocable;
  /** As its definition says. */
  contractVersion: string;
}

/** Finds contracts by name at one height. */
export class ContractOpener {
  readonly #source: StateSource;
  readonly #code: ContractCode;
  readonly #versions = new Map<string, string>();

  constructor(source: StateSource, code: ContractCode) {
    this.#source = source;
    this.#code = code;
  }

  /** @throws ENDORSER_CONTRACT_UNKNOWN, WASM_… */
  open(name: string, host: RequestHost): OpenedContract {
    const contractVersion = this.#versionOf(name);
    return { contract: this.#code.open(name, this.#source, host), contractVersion };
  }

  /**
   * Definition and code are read past the simulation: they are not part of the contract's reads, as
   * in Fabric, where the endorsers' lifecycle look-ups leave no trace in the read set.
   */
  #versionOf(name: string): string {
    const known = this.#versions.get(name);
    if (known !== undefined) return known;
    const definition = readDefinition(
      name,
      (key) => this.#source.get(lifecycleNamespace, key)?.value,
    );
    if (definition === undefined) throw fault('ENDORSER_CONTRACT_UNKNOWN', { contract: name });
    this.#versions.set(name, definition.version);
    return definition.version;
  }
}
