import { Fault, LinkClient, emptyBytes, limits } from '#base';
import type { Clock, Log } from '#base';
import {
  BlockBatch,
  EndorseOutcomes,
  EndorseTasks,
  EndorserStatus,
  ProposalOutcomes,
  ProposalTasks,
  endorserMethods,
} from '#formats';
import type { EndorseOutcome, EndorseTask, ProposalOutcome, ProposalTask } from '#formats';
import type { Ledger } from '#ledger';
import type { EndorserState } from './routing.ts';

/** Blocks sent to an endorser in one call while it catches up. */
const catchUpBlocksMax = 64;
const statusEveryMs = 500;

interface Member {
  name: string;
  link: LinkClient;
  state: EndorserState;
  height: bigint;
  feeding: Promise<void>;
  restsUntilMs: number;
}

/**
 * The manager's links to its endorsers: keeps each at the ledger's height, knows their load, and
 * carries tasks to them.
 */
export class EndorserPool implements Disposable {
  readonly #members: Map<string, Member>;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  /** The newest block alone, when it was sent last. */
  #batch: { from: bigint; height: bigint; bytes: Uint8Array } | undefined;

  constructor(
    endorsers: readonly { name: string; socket: string }[],
    deps: { ledger: Ledger; clock: Clock; log: Log },
  ) {
    this.#ledger = deps.ledger;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#members = new Map(endorsers.map((one) => [one.name, newMember(one)]));
    this.#timer = setInterval(() => void this.refresh(), statusEveryMs);
    this.#timer.unref();
  }

  states(): EndorserState[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#members.values()].map(({ state, restsUntilMs }) => ({
      ...state,
      isResting: nowMs < restsUntilMs,
    }));
  }

  /** Lets others be asked first for a while. */
  rest(name: string): void {
    const member = this.#members.get(name);
    if (member !== undefined) member.restsUntilMs = this.#clock.nowMs() + limits.endorserRestMs;
  }

  /** Asks every endorser how it is, and sends it what it misses. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => this.#refresh(member)));
  }

  /** Sends the newest block to all endorsers; does not wait for them. */
  announce(): void {
    for (const member of this.#members.values()) void this.#feed(member);
  }

  /**
   * @returns one outcome per task.
   * @throws BASE_LINK_…, ENDORSER_… when the endorser did not serve the call.
   */
  async endorse(name: string, tasks: EndorseTask[], height: bigint): Promise<EndorseOutcome[]> {
    const member = this.#member(name);
    await this.#feed(member);
    const answer = await this.#call(
      member,
      endorserMethods.endorse,
      EndorseTasks.encode({ height, tasks }),
      limits.endorseWaitMsMax,
    );
    return EndorseOutcomes.decode(answer).outcomes;
  }

  /**
   * Clients' own proposals, simulated on the newest height or above.
   *
   * @returns one outcome per task.
   * @throws BASE_LINK_…, ENDORSER_… when the endorser did not serve the call.
   */
  async endorseProposals(name: string, tasks: ProposalTask[]): Promise<ProposalOutcome[]> {
    const member = this.#member(name);
    const heightMin = this.#ledger.height;
    // The endorser waits for the height by itself; here only who missed a block is sent it.
    if (member.height < heightMin) void this.#feed(member);
    const answer = await this.#call(
      member,
      endorserMethods.endorseProposals,
      ProposalTasks.encode({ heightMin, tasks }),
      limits.endorseWaitMsMax,
    );
    return ProposalOutcomes.decode(answer).outcomes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { link } of this.#members.values()) link.close();
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new TypeError(`unknown endorser ${name}`);
    return member;
  }

  async #refresh(member: Member): Promise<void> {
    const startMs = this.#clock.nowMs();
    try {
      const answer = await this.#call(
        member,
        endorserMethods.status,
        emptyBytes,
        statusEveryMs * 4,
      );
      this.#learn(member, answer);
      member.state.roundTripMs = this.#clock.nowMs() - startMs;
    } catch {
      return; // #call has noted that the endorser is out of reach.
    }
    await this.#feed(member);
  }

  /** Feeds run one after the other per endorser, so that blocks arrive in order. */
  #feed(member: Member): Promise<void> {
    member.feeding = member.feeding.then(() => this.#catchUp(member)).catch(() => {});
    return member.feeding;
  }

  async #catchUp(member: Member): Promise<void> {
    while (member.height < this.#ledger.height && member.state.reachable) {
      const answer = await this.#call(
        member,
        endorserMethods.applyBlocks,
        this.#batchFrom(member.height),
        limits.endorseWaitMsMax,
      );
      const before = member.height;
      this.#learn(member, answer);
      if (member.height <= before) return;
    }
  }

  /** Blocks from this height up, as one call takes them; mostly all endorsers lack the same one. */
  #batchFrom(from: bigint): Uint8Array {
    const { height } = this.#ledger;
    if (this.#batch?.from === from && this.#batch.height === height) return this.#batch.bytes;
    const blocks: Uint8Array[] = [];
    for (let next = from; next < height; next += 1n) {
      const block = this.#ledger.rawBlock(next);
      if (block === undefined || blocks.length >= catchUpBlocksMax) break;
      blocks.push(block);
    }
    const bytes = BlockBatch.encode({ blocks });
    // Of one that catches up alone nothing is kept.
    this.#batch = blocks.length === 1 ? { from, height, bytes } : undefined;
    return bytes;
  }

  async #call(
    member: Member,
    method: number,
    payload: Uint8Array,
    waitMsMax: number,
  ): Promise<Uint8Array> {
    try {
      const answer = await member.link.call(method, payload, waitMsMax);
      if (!member.state.reachable) this.#log.info({ endorser: member.name }, 'endorser is back');
      member.state.reachable = true;
      return answer;
    } catch (error) {
      this.#noteFailure(member, error);
      throw error;
    }
  }

  /** An endorser that answers with a fault of its own is still there. */
  #noteFailure(member: Member, error: unknown): void {
    if (!(error instanceof Fault) || !error.code.startsWith('BASE_LINK_')) return;
    if (member.state.reachable) {
      this.#log.warn({ endorser: member.name, err: error }, 'endorser does not answer');
    }
    member.state.reachable = false;
  }

  #learn(member: Member, answer: Uint8Array): void {
    const status = EndorserStatus.decode(answer);
    member.height = status.height;
    member.state = { ...member.state, ...status, reachable: true };
  }
}

function newMember(endorser: { name: string; socket: string }): Member {
  return {
    name: endorser.name,
    link: new LinkClient(endorser.socket),
    height: 0n,
    feeding: Promise.resolve(),
    restsUntilMs: 0,
    state: {
      name: endorser.name,
      reachable: false,
      nodes: [],
      tasksWaiting: 0,
      cpuPercent: 0,
      roundTripMs: 0,
    },
  };
}
