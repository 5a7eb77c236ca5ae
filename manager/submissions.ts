import { Fault, LruMap, latin1Of, limits, toHex } from '#base';
import type { Clock } from '#base';
import { sha256 } from '#crypto';
import { lifecycleNamespace } from '#formats';
import type { Admission } from './admission.ts';
import { withRequestId } from './named-fault.ts';
import type { AdmittedRequest, Pipeline, RequestOutcome } from './pipeline-types.ts';

/** A request on its way. */
export interface Submission {
  requestId: string;
  /** Rejects with what the pipeline throws; nobody has to listen. */
  outcome: Promise<RequestOutcome>;
}

/** Brings requests through admission into the pipeline, and remembers what became of them. */
export class Submissions {
  readonly #admission: Admission;
  readonly #pipeline: Pipeline;
  readonly #clock: Clock;
  readonly #prepareLifecycle: () => Promise<void>;
  readonly #byContent = new Map<string, Submission>();
  readonly #refused = new LruMap<string, Fault>(limits.refusedOutcomesMax);

  /** @param parts.prepareLifecycle makes what approvals need; awaited before each of the lifecycle's. */
  constructor(parts: {
    admission: Admission;
    pipeline: Pipeline;
    clock: Clock;
    prepareLifecycle?: () => Promise<void>;
  }) {
    this.#admission = parts.admission;
    this.#pipeline = parts.pipeline;
    this.#clock = parts.clock;
    this.#prepareLifecycle = parts.prepareLifecycle ?? (async () => {});
  }

  /**
   * Submits a request. The same bytes, while they are on their way, join the one before: a client
   * that lost its connection may post again.
   *
   * @param bytes compact JWS.
   * @throws what {@link Admission} throws, and MANAGER_QUEUE_FULL.
   */
  submit(bytes: Uint8Array): Submission {
    // By all bytes, not by id: whoever knows only what was signed must not join.
    const content = nameOf(bytes);
    const joined = this.#byContent.get(content);
    if (joined !== undefined) return joined;
    const admitted = this.#admission.admit(bytes, this.#clock.nowMs());
    const { requestId } = admitted.request;
    const submission = { requestId, outcome: this.#queue(admitted) };
    this.#byContent.set(content, submission);
    submission.outcome
      .then(({ fault }) => this.#settle(content, requestId, fault))
      .catch((error: unknown) => {
        this.#settle(content, requestId, error instanceof Fault ? error : undefined);
      });
    return submission;
  }

  isPending(requestId: string): boolean {
    return this.#pipeline.isPending(requestId);
  }

  /** Why a request was refused behind admission, as long as that is remembered. */
  refusalOf(requestId: string): Fault | undefined {
    return this.#refused.get(requestId);
  }

  #queue(admitted: AdmittedRequest): Promise<RequestOutcome> {
    const { contract } = admitted.request.payload;
    try {
      if (contract === lifecycleNamespace) return this.#queueLifecycle(admitted);
      return this.#pipeline.submit(admitted);
    } catch (error) {
      throw withRequestId(error, admitted.request.requestId);
    }
  }

  async #queueLifecycle(admitted: AdmittedRequest): Promise<RequestOutcome> {
    const { requestId } = admitted.request;
    try {
      await this.#prepareLifecycle();
      return await this.#pipeline.submit(admitted);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { requestId, state: 'refused', fault: error };
    }
  }

  #settle(content: string, requestId: string, refusal: Fault | undefined): void {
    this.#byContent.delete(content);
    if (refusal === undefined) this.#refused.delete(requestId);
    else this.#refused.set(requestId, refusal);
  }
}

/** Up to here the text of a request is a cheaper name than its hash. */
const shortBytes = 4 * 1024;

/** No two contents have one name: no text of bytes has the character in front of a hash. */
function nameOf(bytes: Uint8Array): string {
  return bytes.length <= shortBytes ? latin1Of(bytes) : `\u0100${toHex(sha256(bytes))}`;
}
