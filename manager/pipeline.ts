import { Fault, limits } from '#base';
import type { Log } from '#base';
import type { BatchSize } from '#formats';
import type { CommittedBlock } from '#ledger';
import { BlockContent } from './block-content.ts';
import type { ChosenContent } from './block-content.ts';
import type { BlockMaker } from './block-maker.ts';
import { BundleEndorsing } from './bundle-endorsing.ts';
import type { BundleEndorsingParts } from './bundle-endorsing.ts';
import { Bundler } from './bundler.ts';
import { EnvelopeQueue } from './envelope-queue.ts';
import type { EnvelopeEntry } from './envelope-queue.ts';
import { fault } from './faults.ts';
import { StageMeter } from './stage-meter.ts';
import type {
  AdmittedRequest,
  EnvelopePipeline,
  EnvelopeSubmission,
  Pipeline,
  RequestOutcome,
} from './pipeline-types.ts';
import { refuse, refuseAll, settleBundle } from './wave-entries.ts';
import type { Entry, KeptBundle } from './wave-entries.ts';

export interface PipelineParts extends BundleEndorsingParts {
  requestsPerBundleMax: number;
  blockMaker: BlockMaker;
  /** How large blocks shall be, by the channel's configuration. */
  batchSize: () => BatchSize;
  /**
   * Checks a client's envelope before it is queued.
   *
   * @returns its transaction id; empty for a configuration.
   * @throws MANAGER_ENVELOPE_…, MANAGER_CHANNEL_UNKNOWN
   */
  readEnvelope: (envelope: Uint8Array) => string;
  /** Called after each block: hands it to the endorsers. */
  announce: () => void;
  /** Hears of a failure after which the state is unknown; the process must stop. */
  onFatal: (error: unknown) => void;
  log: Log;
}

/**
 * From admitted requests and clients' envelopes to a committed block, wave after wave: cut bundles,
 * have them endorsed side by side, sign their envelopes, drop what must not be ordered, make one
 * block, answer.
 */
export class WavePipeline implements Pipeline, EnvelopePipeline {
  readonly meter = new StageMeter();
  readonly #parts: PipelineParts;
  readonly #bundler: Bundler<Entry>;
  readonly #endorsing: BundleEndorsing;
  readonly #content: BlockContent;
  readonly #pending = new Map<string, Entry>();
  readonly #envelopes = new EnvelopeQueue();
  #wave: Promise<void> | undefined;
  #stopping = false;
  #waveFailed = false;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    const bundler = new Bundler<Entry>(parts.requestsPerBundleMax);
    const giveBack = (entries: readonly Entry[]) => bundler.giveBack(entries);
    this.#bundler = bundler;
    this.#endorsing = new BundleEndorsing(parts, giveBack);
    this.#content = new BlockContent({ ...parts, giveBack });
  }

  /** Requests and envelopes that wait. */
  get depth(): number {
    return this.#bundler.depth + this.#envelopes.depth;
  }

  isPending(requestId: string): boolean {
    return this.#pending.has(requestId);
  }

  submit(admitted: AdmittedRequest): Promise<RequestOutcome> {
    const { requestId } = admitted.request;
    if (this.#stopping) throw fault('MANAGER_STOPPING');
    if (this.#pending.has(requestId)) throw fault('MANAGER_REQUEST_PENDING', { requestId });
    return new Promise<RequestOutcome>((resolve) => {
      const entry: Entry = {
        admitted,
        conflicts: 0,
        settle: (outcome) => {
          this.#pending.delete(requestId);
          resolve(outcome);
        },
      };
      this.#bundler.add(entry);
      this.#pending.set(requestId, entry);
      this.#wake();
    });
  }

  submitEnvelope(envelope: Uint8Array, { alone = false } = {}): EnvelopeSubmission {
    if (this.#stopping) throw fault('MANAGER_STOPPING');
    // The service's own configuration was checked by whoever made it.
    const txId = alone ? '' : this.#parts.readEnvelope(envelope);
    const place = txId === '' ? undefined : this.#placeOf(txId);
    if (place !== undefined) {
      return { accepted: Promise.resolve(), committed: Promise.resolve(place) };
    }
    const submission = this.#envelopes.add(envelope, { txId, alone });
    this.#wake();
    return submission;
  }

  /** Takes nothing more and ends after the wave that is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#wave;
    // A wave that was cut off may have left its block on disk: it will be completed at the start.
    const reason = fault(this.#waveFailed ? 'MANAGER_OUTCOME_UNKNOWN' : 'MANAGER_STOPPING');
    for (const entry of this.#pending.values()) refuse(entry, reason);
    this.#envelopes.refuseAll(reason);
  }

  #wake(): void {
    this.#wave ??= this.#runWaves().finally(() => {
      this.#wave = undefined;
      // One that came after the last look and before this one.
      if (this.depth > 0 && !this.#stopping) this.#wake();
    });
  }

  async #runWaves(): Promise<void> {
    // One turn of the event loop: all requests of a call that is being read join the first wave.
    await new Promise(setImmediate);
    try {
      while (this.depth > 0 && !this.#stopping) await this.#runWave();
    } catch (error) {
      this.#waveFailed = true;
      // Cut off by `stop`: the block's signature is the next start's to get.
      if (this.#stopping) return;
      this.#stopping = true;
      this.#parts.onFatal(error);
    } finally {
      // In the turn in which the queue was seen empty: what comes next starts a wave of its own.
      this.#wave = undefined;
    }
  }

  async #runWave(): Promise<void> {
    const { meter } = this;
    const alone = this.#envelopes.takeAlone();
    const bundles = alone.length > 0 ? [] : await this.#endorsedBundles();
    const content = await meter.time('assess', () =>
      this.#content.choose(bundles, (room) =>
        alone.length > 0 ? alone : this.#envelopes.take(room),
      ),
    );
    if (content.bundles.length + content.clients.length > 0) {
      const block = await meter.time('makeBlock', () => this.#order(content));
      if (block !== undefined) {
        this.#parts.announce();
        await meter.time('answer', () => settleContent(content, block));
      }
    }
    for (const entry of content.duplicates) this.#settleDuplicate(entry);
  }

  async #endorsedBundles(): Promise<KeptBundle[]> {
    const { transactionsPerBlockMax } = limits;
    const { maxMessageCount } = this.#parts.batchSize();
    const cuts = this.#bundler.cut(Math.min(maxMessageCount, transactionsPerBlockMax));
    if (cuts.length === 0) return [];
    const endorsed = await this.meter.time('endorse', () =>
      Promise.all(cuts.map((cut) => this.#endorsing.endorse(cut))),
    );
    const bundles = endorsed.filter((one) => one !== undefined);
    if (bundles.length === 0) return [];
    const envelopes = await this.meter.time('signEnvelopes', () => this.#endorsing.seal(bundles));
    return (envelopes ?? []).map((envelope, index) => ({ bundle: bundles[index]!, envelope }));
  }

  /** Makes the block; when it could not even be begun, its content is refused and may come again. */
  async #order({ bundles, clients }: ChosenContent): Promise<CommittedBlock | undefined> {
    const { blockMaker, ledger, log } = this.#parts;
    const envelopes = [...bundles, ...clients].map(({ envelope }) => envelope);
    try {
      return await blockMaker.make(envelopes, () => {
        for (const entry of clients) entry.accept();
      });
    } catch (error) {
      const isHarmless = error instanceof Fault && error.kind !== 'fatal';
      if (!isHarmless || ledger.proposed !== undefined) throw error;
      log.error({ code: error.code, ...error.detail }, 'a block could not be begun');
      for (const { bundle } of bundles) refuseAll(bundle.cut.entries, error);
      for (const entry of clients) entry.refuse(error);
      return undefined;
    }
  }

  #settleDuplicate(entry: EnvelopeEntry): void {
    const place = this.#placeOf(entry.txId);
    // The one that was ordered in its place was not, in the end.
    if (place === undefined) entry.refuse(fault('MANAGER_OUTCOME_UNKNOWN'));
    else entry.settle(place);
  }

  #placeOf(txId: string) {
    const { ledger } = this.#parts;
    if (!ledger.hasTransaction(txId)) return undefined;
    const found = ledger.transaction(txId);
    if (found === undefined) return undefined;
    const { blockNumber, index, code } = found;
    return { blockNumber, index, code };
  }
}

function settleContent({ bundles, clients }: ChosenContent, block: CommittedBlock): void {
  for (const [index, { bundle }] of bundles.entries()) settleBundle(bundle, block, index);
  for (const [offset, entry] of clients.entries()) {
    const index = bundles.length + offset;
    entry.settle({ blockNumber: block.number, index, code: block.codes[index] ?? 255 });
  }
}
