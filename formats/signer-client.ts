import { LinkClient, emptyBytes, limits } from '#base';
import { fault } from './faults.ts';
import { WitnessCall } from './guard-marks.ts';
import {
  CertifyKeyCall,
  EndorseCall,
  RetireKeyAnswer,
  RetireKeyCall,
  SignBlockCall,
  SignCsrCall,
  SignEnvelopeCall,
  SignerAnswer,
  SignerDescription,
  SignerReport,
  signerMethods,
} from './zone-signer.ts';
import type { EndorseItem, RetiredKey, SignEnvelopeItem, SignerKey } from './zone-signer.ts';

/**
 * Calls a signer host over its Unix socket; the owner closes it.
 * A batch is signed whole or not at all: the fault's detail `index` names the item it is about.
 * Every method throws the signer host's faults (HSM_…) and the link's (BASE_LINK_…).
 */
export class SignerClient implements Disposable {
  readonly #link: LinkClient;

  constructor(socketPath: string) {
    this.#link = new LinkClient(socketPath);
  }

  /** Calls not answered yet: a measure of the host's load. */
  get callsInFlight(): number {
    return this.#link.callsInFlight;
  }

  /** The keys this host serves. */
  async describe(): Promise<readonly SignerKey[]> {
    const answer = await this.#call(signerMethods.describe, emptyBytes);
    return SignerDescription.decodeCanonical(answer).keys;
  }

  /** How the token and its keys are, for monitoring. */
  async report(): Promise<SignerReport> {
    return SignerReport.decodeCanonical(await this.#call(signerMethods.report, emptyBytes));
  }

  /** @returns per item a signature over proposalResponsePayload ‖ the key's serialized identity. */
  endorse(items: readonly EndorseItem[]): Promise<readonly Uint8Array[]> {
    const call = EndorseCall.encode({ items: [...items] });
    return this.#sign(signerMethods.endorse, call, items.length);
  }

  /** @returns per item a signature over its payload. */
  signEnvelopes(items: readonly SignEnvelopeItem[]): Promise<readonly Uint8Array[]> {
    const call = SignEnvelopeCall.encode({ items: [...items] });
    return this.#sign(signerMethods.signEnvelope, call, items.length);
  }

  /**
   * The same block may be signed again, as often as a crash demands.
   *
   * @returns a signature over metadataValue ‖ signatureHeader ‖ the header's DER.
   * @throws HSM_BLOCK_CONFLICT, HSM_BLOCK_PAST, HSM_BLOCK_GAP when the guard says no.
   */
  async signBlock(block: SignBlockCall): Promise<Uint8Array> {
    const call = SignBlockCall.encode(block);
    const [signature] = await this.#sign(signerMethods.signBlock, call, 1);
    return signature as Uint8Array;
  }

  /** @returns a PKCS#10 request, DER; only from a host that runs in provisioning mode. */
  async signCsr(request: SignCsrCall): Promise<Uint8Array> {
    const call = SignCsrCall.encode(request);
    const [csr] = await this.#sign(signerMethods.signCsr, call, 1);
    return csr as Uint8Array;
  }

  /**
   * Puts a version that operators ordered in force beside the one before.
   *
   * @param certificate PEM.
   * @returns countersign.KeyRotation bytes, signed with both keys: for the ledger.
   */
  async certifyKey(key: string, certificate: Uint8Array): Promise<Uint8Array> {
    const call = CertifyKeyCall.encode({ key, certificate });
    const [record] = await this.#sign(signerMethods.certifyKey, call, 1);
    return record as Uint8Array;
  }

  /**
   * Destroys the versions before the newest one; they sign what is under way first.
   *
   * @param receipt a receipt file: the rotation's record is on the ledger.
   */
  async retireKey(key: string, receipt: Uint8Array): Promise<readonly RetiredKey[]> {
    const call = RetireKeyCall.encode({ key, receipt });
    const answer = await this.#link.call(signerMethods.retireKey, call, limits.keyRetireWaitMsMax);
    return RetireKeyAnswer.decodeCanonical(answer).retired;
  }

  /** Shows the host a block with its own signature. @throws HSM_WITNESS_FOREIGN, HSM_GUARD_ROLLED_BACK */
  async witness(call: WitnessCall): Promise<void> {
    await this.#call(signerMethods.witness, WitnessCall.encode(call));
  }

  /** Where the host's guard stands. @returns countersign.SignedGuardMarks bytes. */
  guardMarks(): Promise<Uint8Array> {
    return this.#call(signerMethods.guardMarks, emptyBytes);
  }

  close(): void {
    this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #sign(method: number, payload: Uint8Array, count: number): Promise<readonly Uint8Array[]> {
    const answer = await this.#call(method, payload);
    const { signatures } = SignerAnswer.decodeCanonical(answer);
    if (signatures.length !== count) throw fault('FORMATS_ANSWER_INVALID', { method, count });
    return signatures;
  }

  #call(method: number, payload: Uint8Array): Promise<Uint8Array> {
    return this.#link.call(method, payload, limits.signWaitMsMax);
  }
}
