/** What Caliper's workers call for each transaction of a round: see caliper-core's workload interface. */
interface Sut {
  sendRequests(request: Readonly<Record<string, unknown>>): Promise<unknown>;
}

interface RoundArguments {
  contract: string;
  /** `create` writes a key of its own each time, `read` reads those of the round before. */
  calls: 'create' | 'read';
  run: string;
}

export function createWorkloadModule(): Workload {
  return new Workload();
}

class Workload {
  #sut: Sut | undefined;
  #arguments: RoundArguments | undefined;
  #workerIndex = 0;
  #count = 0;

  async initializeWorkloadModule(
    workerIndex: number,
    _workers: number,
    _round: number,
    given: RoundArguments,
    sut: Sut,
  ): Promise<void> {
    this.#workerIndex = workerIndex;
    this.#arguments = given;
    this.#sut = sut;
  }

  async submitTransaction(): Promise<void> {
    const { contract, calls, run } = this.#arguments as RoundArguments;
    this.#count += 1;
    const key = `${run}/${this.#workerIndex}/${this.#count}`;
    await this.#sut?.sendRequests({
      contractId: contract,
      contractFunction: calls,
      contractArguments: calls === 'create' ? [key, `value ${this.#count}`] : [key],
      readOnly: calls === 'read',
    });
  }

  async cleanupWorkloadModule(): Promise<void> {}
}
