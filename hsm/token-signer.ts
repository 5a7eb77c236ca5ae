import { limits } from '#base';
import type { Fault } from '#base';
import { normaliseEcdsa, verifyFabric } from '#crypto';
import type { PublicKey } from '#crypto';
import type { SignatureKind } from '#custody';
import { digestOf } from './digest.ts';
import { fault } from './faults.ts';
import { classifyPkcs11 } from './pkcs11-errors.ts';
import { pkcs11Codes } from './pkcs11-codes.ts';
import type { Pkcs11Class } from './pkcs11-codes.ts';
import { keyChallenge } from './key-challenge.ts';
import { contentOf, logged, withDigest } from './sign-order.ts';
import type { DigestedOrder, RecordSignatures, SignOrder } from './sign-order.ts';
import { processGone } from './token-seat.ts';
import type { SeatAnswer } from './token-seat.ts';
import type { TokenProcess } from './token-process.ts';
import type { TokenSupervisor } from './token-supervisor.ts';

export interface SignerKeyWanted {
  readonly label: string;
  /** SubjectPublicKeyInfo that the certificate names; absent when there is no certificate yet. */
  readonly publicKey?: PublicKey | undefined;
}

type Failure = {
  readonly failed: Pkcs11Class | 'gone' | 'wrong';
  readonly name: string;
  readonly process: TokenProcess;
  readonly generation: number;
};

/**
 * Signs contents with the keys of one token, and recovers from what the token does.
 * Signing again is safe: what may be signed was decided, and recorded, for the content as such.
 */
export class TokenSigner {
  readonly #tokens: TokenSupervisor;
  readonly #certified: Map<string, PublicKey | undefined>;
  readonly #record: RecordSignatures;
  /** Labels of what is being signed, and how often. */
  readonly #inFlight = new Map<string, number>();
  readonly #idle = new Map<string, () => void>();
  #sampled = 0;
  #distrusted = 0;
  #canaryMs = 0;

  /**
   * @param keys the supervisor's own; nothing else is signed with.
   * @param record is waited for before the token is asked; it throws what keeps them from being made.
   */
  constructor(tokens: TokenSupervisor, keys: readonly SignerKeyWanted[], record: RecordSignatures) {
    this.#tokens = tokens;
    this.#record = record;
    this.#certified = new Map(keys.map(({ label, publicKey }) => [label, publicKey]));
  }

  /** Seconds of the process's clock at which the token last signed on its own account; 0 before. */
  get canaryMs(): number {
    return this.#canaryMs;
  }

  /** As its certificate names it, or as the token does. @throws HSM_KEY_UNKNOWN, HSM_TOKEN_LOST */
  publicKeyOf(label: string): PublicKey {
    this.#demandKnown(label);
    const certified = this.#certified.get(label);
    if (certified !== undefined) return certified;
    return this.#tokens.anyProcess().keyOf(label).publicKey;
  }

  /**
   * @returns per order an ECDSA P-256 signature over SHA-256 of its content, DER with low s.
   * @throws HSM_SIGN_FAILED, HSM_SESSION_BUSY, HSM_SIGNATURE_INVALID, HSM_TOKEN_LOST, or what the
   *   record throws; the batch then has no signature.
   */
  sign(orders: readonly SignOrder[]): Promise<Uint8Array[]> {
    return this.#signAll(orders, async (digested) => {
      // While the token is away nothing is signed, so nothing is put on record either.
      this.#tokens.checkUp();
      await this.#record(digested.map(logged));
    });
  }

  /** As {@link sign}, for one content that nobody else verifies before it counts. */
  async signOne(keyLabel: string, kind: SignatureKind, content: Uint8Array): Promise<Uint8Array> {
    const [signature] = await this.sign([{ keyLabel, kind, content, verify: true }]);
    return signature as Uint8Array;
  }

  /** As {@link sign}, for a checkpoint of the signature log: it is a record of that log itself. */
  async signCheckpoint(keyLabel: string, content: Uint8Array): Promise<Uint8Array> {
    const [signature] = await this.#signAll([{ keyLabel, content, verify: true }], async () => {});
    return signature as Uint8Array;
  }

  async #signAll(
    wanted: readonly SignOrder[],
    before: (orders: readonly DigestedOrder[]) => Promise<void>,
  ): Promise<Uint8Array[]> {
    const orders = wanted.map(withDigest);
    for (const { keyLabel } of orders) this.#demandKnown(keyLabel);
    for (const { keyLabel } of orders) this.#begin(keyLabel);
    try {
      await before(orders);
      const results = await this.#attempt(orders);
      let failed = failuresIn(results);
      for (let retries = 0; failed.length > 0; retries += 1) {
        const failures = failed.map((index) => results[index] as Failure);
        const final = failures.find((one) => retries >= retriesMax(one));
        if (final !== undefined) throw this.#finalFault(final);
        await this.#recover(failures);
        const again = await this.#attempt(failed.map((index) => orders[index] as DigestedOrder));
        for (const [position, index] of failed.entries()) {
          results[index] = again[position] as Uint8Array | Failure;
        }
        failed = failuresIn(results);
      }
      return results as Uint8Array[];
    } catch (error) {
      this.#tokens.meter.count('callsRefused');
      throw error;
    } finally {
      for (const { keyLabel } of orders) this.#end(keyLabel);
    }
  }

  /** Signs with this key too. Every process of the token must know it already. */
  serve({ label, publicKey }: SignerKeyWanted): void {
    this.#certified.set(label, publicKey);
  }

  /** Ends after the signatures under way; whoever calls gives out no new ones with this key. */
  async drop(label: string): Promise<void> {
    if (this.#inFlight.has(label)) {
      await new Promise<void>((resolve) => this.#idle.set(label, resolve));
    }
    this.#certified.delete(label);
  }

  #begin(label: string): void {
    this.#inFlight.set(label, (this.#inFlight.get(label) ?? 0) + 1);
  }

  #end(label: string): void {
    const left = (this.#inFlight.get(label) ?? 1) - 1;
    if (left > 0) this.#inFlight.set(label, left);
    else this.#inFlight.delete(label);
    if (left > 0) return;
    this.#idle.get(label)?.();
    this.#idle.delete(label);
  }

  /** Has each process sign a challenge with each key, so that a silent loss is found without a caller. */
  async canary(): Promise<void> {
    const [label] = this.#certified.keys();
    if (label === undefined || this.#tokens.downReason !== undefined) return;
    this.#begin(label);
    try {
      for (const process of this.#tokens.processes) await this.#canaryOf(process, label);
    } finally {
      this.#end(label);
    }
  }

  async #canaryOf(process: TokenProcess, label: string): Promise<void> {
    const challenge = keyChallenge();
    const seat = process.seats.find((one) => one.isReady);
    if (seat === undefined) return;
    const answer = await new Promise<SeatAnswer>((resolve) => {
      const job = { label, digest: digestOf(challenge), settle: resolve, refuse: () => {} };
      seat.take([job]);
    });
    const result = this.#read({ keyLabel: label, content: challenge, verify: true }, answer);
    if (!isFailure(result)) {
      this.#canaryMs = performance.now();
      return;
    }
    this.#tokens.meter.count('canaryFailures');
    // A refusal of the token's is what the next caller will hear; here it is only noticed.
    await this.#recover([result]).catch(() => {});
  }

  async #attempt(orders: readonly DigestedOrder[]): Promise<(Uint8Array | Failure)[]> {
    const jobs = orders.map(({ keyLabel: label, digest }) => ({ label, digest }));
    const answers = await this.#tokens.sign(jobs);
    return answers.map((answer, index) => this.#read(orders[index] as SignOrder, answer));
  }

  /** Makes a signature of what the token answered, or says what is wrong with it. */
  #read(order: SignOrder, answer: SeatAnswer): Uint8Array | Failure {
    const { code, us, process, generation } = answer;
    const { meter } = this.#tokens;
    if (code !== 0) return this.#failureOf(answer);
    meter.signed(order.keyLabel, us);
    process.failures = 0;
    const key = process.keyOf(order.keyLabel);
    const signature = normaliseEcdsa(answer.raw, 'P-256');
    if (!this.#mustVerify(order, key.proved && generation === process.generation)) return signature;
    meter.count('signaturesVerified');
    if (!verifyFabric(this.#publicKeyFor(order.keyLabel, process), contentOf(order), signature)) {
      meter.count('signaturesWrong');
      this.#distrusted = limits.signaturesDistrustedAfterWrong;
      return { failed: 'wrong', name: 'SIGNATURE_WRONG', process, generation };
    }
    if (generation === process.generation) key.proved = true;
    return signature;
  }

  #mustVerify(order: SignOrder, isProved: boolean): boolean {
    if (order.verify === true || !isProved) return true;
    if (this.#distrusted > 0) {
      this.#distrusted -= 1;
      return true;
    }
    this.#sampled = (this.#sampled + 1) % limits.signaturesPerVerification;
    return this.#sampled === 0;
  }

  #failureOf({ code, process, generation }: SeatAnswer): Failure {
    const where = { process, generation };
    if (code === processGone) return { failed: 'gone', name: 'PROCESS_GONE', ...where };
    const { meter } = this.#tokens;
    meter.count('sessionsRenewed');
    process.failures += 1;
    const name = pkcs11Codes.get(code)?.[0] ?? `CKR_0x${code.toString(16)}`;
    if (name === 'CKR_OPERATION_ACTIVE') meter.count('sessionsPoisoned');
    return { failed: classifyPkcs11({ code, name }, 'sign'), name, ...where };
  }

  /** Returns when it is worth trying once more; throws when it is not. */
  async #recover(failures: readonly Failure[]): Promise<void> {
    const byProcess = Map.groupBy(failures, ({ process }) => process);
    for (const [, [failure]] of byProcess) if (failure !== undefined) await this.#mend(failure);
    this.#tokens.checkUp();
  }

  async #mend({ failed, name, process, generation }: Failure): Promise<void> {
    switch (failed) {
      case 'caller':
        throw fault('HSM_SIGN_FAILED', { name });
      case 'saturation':
        if (!this.#tokens.hasFreshSeat()) throw fault('HSM_SESSION_BUSY', { name });
        return;
      case 'newSession':
        // The session closed itself; the next signature opens another. If that never helps, more is wrong.
        if (process.failures <= limits.tokenFailuresMax) return;
        return this.#tokens.refresh(process, generation);
      case 'relogin':
      case 'refind':
      case 'reinit':
        return this.#tokens.refresh(process, generation);
      case 'operator':
        return this.#tokens.giveUp(process, fault('HSM_TOKEN_LOST', { name }));
      case 'wrong':
        // What answers wrongly proves its keys anew, from the start, before it signs again.
        return this.#tokens.replace(process, 'signs wrongly');
      case 'gone':
        return;
    }
  }

  /** @returns the fault of a signature that failed again. */
  #finalFault(failure: Failure): Fault {
    const { failed, name } = failure;
    if (failed === 'wrong') this.#tokens.replace(failure.process, 'signs wrongly');
    if (failed === 'wrong') return fault('HSM_SIGNATURE_INVALID', { name });
    if (failed === 'saturation') return fault('HSM_SESSION_BUSY', { name });
    if (failed === 'caller') return fault('HSM_SIGN_FAILED', { name });
    if (failed !== 'gone' && failed !== 'newSession') {
      // It said that it was well and fails again: only another process may help.
      this.#tokens.giveUp(failure.process, fault('HSM_TOKEN_LOST', { name }));
    }
    return fault('HSM_TOKEN_LOST', { name });
  }

  /** The certificate's word counts, not the token's. */
  #publicKeyFor(label: string, process: TokenProcess): PublicKey {
    return this.#certified.get(label) ?? process.keyOf(label).publicKey;
  }

  #demandKnown(label: string): void {
    if (!this.#certified.has(label)) throw fault('HSM_KEY_UNKNOWN', { key: label });
  }
}

/** A process that ended says nothing of the token, and another one may end beside it. */
function retriesMax({ failed }: Failure): number {
  return failed === 'gone' ? 3 : 1;
}

function failuresIn(results: readonly (Uint8Array | Failure)[]): number[] {
  return [...results.keys()].filter((index) => isFailure(results[index]));
}

function isFailure(result: Uint8Array | Failure | undefined): result is Failure {
  return result !== undefined && 'failed' in result;
}
