import { LinkClient, serveLink } from '#base';
import type { LinkServer } from '#base';
import { EndorseOutcomes, EndorseTasks, EndorserStatus, endorserMethods } from '#formats';
import type { EndorseOutcome } from '#formats';

/** How the proxy treats the endorsements it is asked for. */
export type Lie =
  | 'none'
  /** Asks the endorser itself to find its nodes by the policy. */
  | 'untold'
  | 'wrong signature'
  | 'one left out'
  | 'another payload'
  /** What was answered to the task before: rightly signed, of another proposal. */
  | 'an old answer'
  | 'closes'
  | 'hangs';

/**
 * Stands between the manager and a real endorser, at a socket of its own: knows what was asked and
 * changes what is answered.
 */
export class EndorserProxy implements AsyncDisposable {
  lie: Lie = 'none';
  /** Tasks that it claims to have waiting beside the endorser's own. */
  claimedTasks = 0;
  /** Target nodes of each task since the last look. */
  #asked: string[][] = [];
  #outcomeBefore: EndorseOutcome | undefined;
  #statusWaits: { callsLeft: number; resolve: () => void }[] = [];
  readonly #socket: string;
  readonly #endorser: LinkClient;
  #server: LinkServer | undefined;

  private constructor(socket: string, endorserSocket: string) {
    this.#socket = socket;
    this.#endorser = new LinkClient(endorserSocket);
  }

  static async start(socket: string, endorserSocket: string): Promise<EndorserProxy> {
    const made = new EndorserProxy(socket, endorserSocket);
    await made.#serve();
    return made;
  }

  /** Target nodes of each task since this was last asked. */
  takeAsked(): string[][] {
    const asked = this.#asked;
    this.#asked = [];
    return asked;
  }

  /** Resolves when the manager knows the status as it is from now on. */
  async statusTold(): Promise<void> {
    // The answer to one call has arrived when the next call comes; one may be under way now.
    await new Promise<void>((resolve) => {
      this.#statusWaits.push({ callsLeft: 2, resolve });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endorser.close();
    await this.#server?.close();
  }

  async #serve(): Promise<void> {
    this.#server = await serveLink(this.#socket, (method, payload) =>
      method === endorserMethods.endorse
        ? this.#endorse(EndorseTasks.decode(payload))
        : this.#forward(method, payload),
    );
  }

  async #forward(method: number, payload: Uint8Array): Promise<Uint8Array> {
    if (method === endorserMethods.status) this.#noteStatusCall();
    const answer = await this.#endorser.call(method, payload, waitMsMax);
    if (method !== endorserMethods.status) return answer;
    const status = EndorserStatus.decode(answer);
    const tasksWaiting = status.tasksWaiting + this.claimedTasks;
    return EndorserStatus.encode({ ...status, tasksWaiting });
  }

  #noteStatusCall(): void {
    for (const waiting of this.#statusWaits) {
      waiting.callsLeft -= 1;
      if (waiting.callsLeft === 0) waiting.resolve();
    }
    this.#statusWaits = this.#statusWaits.filter(({ callsLeft }) => callsLeft > 0);
  }

  async #endorse(call: EndorseTasks): Promise<Uint8Array> {
    this.#asked.push(...call.tasks.map(({ targetNodes }) => targetNodes));
    if (this.lie === 'hangs') return new Promise(() => {});
    if (this.lie === 'closes') {
      await this.#server?.close();
      await this.#serve();
    }
    const tasks = call.tasks.map((task) =>
      this.lie === 'untold' ? { ...task, targetNodes: [] } : task,
    );
    const answer = await this.#endorser.call(
      endorserMethods.endorse,
      EndorseTasks.encode({ ...call, tasks }),
      waitMsMax,
    );
    const { outcomes } = EndorseOutcomes.decode(answer);
    return EndorseOutcomes.encode({ outcomes: outcomes.map((outcome) => this.#changed(outcome)) });
  }

  #changed(outcome: EndorseOutcome): EndorseOutcome {
    const before = this.#outcomeBefore;
    this.#outcomeBefore = outcome;
    const { endorsements, proposalResponsePayload } = outcome;
    switch (this.lie) {
      case 'wrong signature':
        flipBit(endorsements[0]!.endorsement!.signature);
        return outcome;
      case 'one left out':
        return { ...outcome, endorsements: endorsements.slice(1) };
      case 'another payload':
        flipBit(proposalResponsePayload);
        return outcome;
      case 'an old answer':
        return before ?? outcome;
      default:
        return outcome;
    }
  }
}

const waitMsMax = 15_000;

/** The last byte is of a value in a signature as well as in a payload. */
function flipBit(bytes: Uint8Array): void {
  bytes[bytes.length - 1]! ^= 1;
}
