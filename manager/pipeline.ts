import { randomBytes } from 'node:crypto';
import { Fault, limits, utf8 } from '#base';
import type { Clock, Log } from '#base';
import { buildEnvelopePayload, buildProposal, bundleFunction, validationCodes } from '#formats';
import type { BuiltProposal, ClientCertificate, SignerClient } from '#formats';
import type { CommittedBlock, Ledger } from '#ledger';
import type { BlockMaker } from './block-maker.ts';
import { Bundler } from './bundler.ts';
import type { Cut } from './bundler.ts';
import type { EndorsementCollector, EndorsementResult } from './endorsement.ts';
import { fault } from './faults.ts';
import { StageMeter } from './stage-meter.ts';
import type { AdmittedRequest, Pipeline, RequestOutcome } from './pipeline-types.ts';
import { sealEnvelopes } from './seal-envelopes.ts';
import { refuse, refuseAll, settleBundle } from './wave-entries.ts';
import type { EndorsedBundle, Entry, KeptBundle } from './wave-entries.ts';

/** How often requests are simulated anew whose transaction no peer would take for valid. */
const invalidTriesMax = 5;
const nonceBytes = 24;

export interface PipelineParts {
  channel: string;
  requestsPerBundleMax: number;
  ledger: Ledger;
  collector: EndorsementCollector;
  blockMaker: BlockMaker;
  signer: SignerClient;
  /** Label of the relay key and its msp.SerializedIdentity. */
  relayKey: { label: string; serializedIdentity: Uint8Array };
  /** protos.ApplicationPolicy bytes of a contract. @throws MANAGER_CONTRACT_UNKNOWN */
  policyOf: (contract: string) => Uint8Array;
  /** Called after each block: hands it to the endorsers. */
  announce: () => void;
  /** Hears of a failure after which the state is unknown; the process must stop. */
  onFatal: (error: unknown) => void;
  clock: Clock;
  log: Log;
}

/**
 * From admitted requests to a committed block, wave after wave: cut bundles, have them endorsed side
 * by side, sign the envelopes, drop what would conflict, make one block, answer.
 */
export class WavePipeline implements Pipeline {
  readonly meter = new StageMeter();
  readonly #parts: PipelineParts;
  readonly #bundler: Bundler<Entry>;
  readonly #pending = new Map<string, Entry>();
  #wave: Promise<void> | undefined;
  #stopping = false;
  #waveFailed = false;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#bundler = new Bundler(parts.requestsPerBundleMax);
  }

  get depth(): number {
    return this.#bundler.depth;
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

  /** Takes nothing more and ends after the wave that is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#wave;
    // A wave that was cut off may have left its block on disk: it will be completed at the start.
    const reason = fault(this.#waveFailed ? 'MANAGER_OUTCOME_UNKNOWN' : 'MANAGER_STOPPING');
    for (const entry of this.#pending.values()) refuse(entry, reason);
  }

  #wake(): void {
    this.#wave ??= this.#runWaves().finally(() => {
      this.#wave = undefined;
      // One that came after the last look and before this one.
      if (this.#bundler.depth > 0 && !this.#stopping) this.#wake();
    });
  }

  async #runWaves(): Promise<void> {
    // One turn of the event loop: all requests of a call that is being read join the first wave.
    await new Promise(setImmediate);
    try {
      while (this.#bundler.depth > 0 && !this.#stopping) await this.#runWave(this.#bundler.cut());
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

  async #runWave(cuts: Cut<Entry>[]): Promise<void> {
    const { meter } = this;
    const endorsed = await meter.time('endorse', () =>
      Promise.all(cuts.map((cut) => this.#endorse(cut))),
    );
    const bundles = endorsed.filter((one) => one !== undefined);
    if (bundles.length === 0) return;
    const envelopes = await meter.time('signEnvelopes', () => this.#seal(bundles));
    if (envelopes === undefined) return;
    const kept = await meter.time('assess', () => this.#dropConflicting(bundles, envelopes));
    if (kept.length === 0) return;
    const block = await meter.time('makeBlock', () => this.#order(kept));
    if (block === undefined) return;
    this.#parts.announce();
    await meter.time('answer', () => {
      for (const [index, { bundle }] of kept.entries()) settleBundle(bundle, block, index);
    });
  }

  /** Makes the block; when it could not even be begun, its requests are refused and may come again. */
  async #order(kept: readonly KeptBundle[]): Promise<CommittedBlock | undefined> {
    const { blockMaker, ledger, log } = this.#parts;
    try {
      return await blockMaker.make(kept.map(({ envelope }) => envelope));
    } catch (error) {
      const isHarmless = error instanceof Fault && error.kind !== 'fatal';
      if (!isHarmless || ledger.proposed !== undefined) throw error;
      log.error({ code: error.code, ...error.detail }, 'a block could not be begun');
      for (const { bundle } of kept) refuseAll(bundle.cut.entries, error);
      return undefined;
    }
  }

  /** Endorses one bundle; requests the endorsers refuse are answered and left out. */
  async #endorse(cut: Cut<Entry>): Promise<EndorsedBundle | undefined> {
    let entries = cut.entries;
    for (let round = 0; entries.length > 0; round += 1) {
      const proposal = this.#propose(cut.contract, entries);
      const result = await this.#collect(cut.contract, proposal, entries);
      if (result.kind === 'endorsed') {
        return { ...result, cut: { ...cut, entries }, proposal };
      }
      if (result.kind === 'failed' || round >= limits.endorseAttemptsMax) {
        const reason =
          result.kind === 'failed' ? result.fault : fault('MANAGER_ENDORSERS_UNREACHABLE');
        refuseAll(entries, reason);
        return undefined;
      }
      entries = this.#withoutRefused(entries, result.refusals);
    }
    return undefined;
  }

  /** Answers the refused requests; those for which only the bundle was full wait for the next. */
  #withoutRefused(
    entries: Entry[],
    refusals: readonly { requestIndex: number; fault: Fault }[],
  ): Entry[] {
    const refused = new Map(refusals.map((one) => [one.requestIndex, one.fault]));
    const later: Entry[] = [];
    for (const [index, reason] of refused) {
      const entry = entries[index];
      if (entry === undefined) continue;
      // The first request of a bundle always fits: no endorser can put off a bundle for ever.
      if (reason.code === 'ENDORSER_BUNDLE_FULL' && index > 0) later.push(entry);
      else refuse(entry, reason);
    }
    this.#bundler.giveBack(later);
    return entries.filter((_entry, index) => !refused.has(index));
  }

  #propose(contract: string, entries: readonly Entry[]): BuiltProposal {
    const { channel, relayKey, clock } = this.#parts;
    return buildProposal({
      channel,
      contract,
      args: [utf8(bundleFunction), ...entries.map((entry) => entry.admitted.request.bytes)],
      creator: relayKey.serializedIdentity,
      nonce: new Uint8Array(randomBytes(nonceBytes)),
      timeMs: clock.nowMs(),
    });
  }

  async #collect(
    contract: string,
    proposal: BuiltProposal,
    entries: readonly Entry[],
  ): Promise<EndorsementResult> {
    const { collector, ledger, policyOf } = this.#parts;
    try {
      return await collector.collect({
        contract,
        proposal,
        clients: clientsOf(entries),
        policy: policyOf(contract),
        height: ledger.height,
      });
    } catch (error) {
      if (!(error instanceof Fault) || error.kind === 'fatal') throw error;
      return { kind: 'failed', fault: error };
    }
  }

  /** All bundles' envelopes; undefined when the signer is out of reach. */
  async #seal(bundles: readonly EndorsedBundle[]): Promise<Uint8Array[] | undefined> {
    const { signer, relayKey } = this.#parts;
    const payloads = bundles.map((bundle) =>
      buildEnvelopePayload({ ...bundle.proposal, ...bundle }),
    );
    try {
      return await sealEnvelopes(signer, relayKey.label, payloads);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      for (const { cut } of bundles) refuseAll(cut.entries, error);
      return undefined;
    }
  }

  /** What would be invalid is not ordered: its requests go into the next wave. */
  #dropConflicting(
    bundles: readonly EndorsedBundle[],
    envelopes: readonly Uint8Array[],
  ): KeptBundle[] {
    const codes = this.#parts.ledger.assess([...envelopes]);
    const kept: KeptBundle[] = [];
    const later: Entry[] = [];
    let blockBytes = 0;
    for (const [index, bundle] of bundles.entries()) {
      const envelope = envelopes[index] as Uint8Array;
      const isValid = codes[index] === validationCodes.VALID;
      // Half of the bound, so that header, metadata and every prefix have room.
      const fits = blockBytes + envelope.length <= limits.blockBytesMax / 2;
      if (isValid && fits) {
        kept.push({ bundle, envelope });
        blockBytes += envelope.length;
      } else if (isValid) {
        later.push(...bundle.cut.entries);
      } else {
        later.push(...anotherTry(bundle.cut.entries, codes[index]));
      }
    }
    this.#bundler.giveBack(later);
    return kept;
  }
}

/**
 * The entries that are simulated anew; the others are refused. That another of the wave came first
 * can happen to a request as often as there are others: every wave, one of them gets through.
 */
function anotherTry(entries: readonly Entry[], code: number | undefined): readonly Entry[] {
  for (const entry of entries) entry.conflicts += 1;
  if (code === validationCodes.MVCC_READ_CONFLICT) return entries;
  if (code === validationCodes.PHANTOM_READ_CONFLICT) return entries;
  return entries.filter((entry) => {
    if (entry.conflicts <= invalidTriesMax) return true;
    refuse(entry, fault('MANAGER_BUNDLE_CONFLICTING', { code }));
    return false;
  });
}

function clientsOf(entries: readonly Entry[]): ClientCertificate[] {
  const clients = new Map<string, Uint8Array>();
  for (const { admitted } of entries) {
    if (admitted.keyId !== undefined) clients.set(admitted.keyId, admitted.certificate);
  }
  return [...clients].map(([keyId, certificate]) => ({ keyId, certificate }));
}
