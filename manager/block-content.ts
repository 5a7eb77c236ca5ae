import { Fault, limits } from '#base';
import type { Log } from '#base';
import { validationCodes } from '#formats';
import type { BatchSize } from '#formats';
import type { Ledger } from '#ledger';
import { checkUnendorsedContent } from './client-envelope.ts';
import type { BlockRoom, EnvelopeEntry } from './envelope-queue.ts';
import { fault } from './faults.ts';
import { refuse } from './wave-entries.ts';
import type { EndorsedBundle, Entry, KeptBundle } from './wave-entries.ts';

/** How often requests are simulated anew whose transaction no peer would take for valid. */
const invalidTriesMax = 5;
/** Half of the bound, so that header, metadata and every prefix have room. */
const contentBytesMax = limits.blockBytesMax / 2;

/** What a block will hold, in this order. */
export interface ChosenContent {
  bundles: KeptBundle[];
  clients: EnvelopeEntry[];
  /** Clients' envelopes whose transaction will be or is on the ledger without them. */
  duplicates: EnvelopeEntry[];
}

export interface BlockContentParts {
  ledger: Ledger;
  /** How large blocks shall be, by the channel's configuration. */
  batchSize: () => BatchSize;
  /** Takes back requests that are to be simulated anew. */
  giveBack: (entries: readonly Entry[]) => void;
  log: Log;
}

/**
 * Decides what goes into the next block. Bundles come first: they were simulated on this very height.
 * One that would be invalid is not ordered, its requests are simulated anew; a client's envelope
 * whose reads went stale is ordered and gets its code, because only its client can make it anew.
 */
export class BlockContent {
  readonly #parts: BlockContentParts;

  constructor(parts: BlockContentParts) {
    this.#parts = parts;
  }

  /** @param take gives clients' envelopes, for as much room as the bundles leave. */
  choose(
    bundles: readonly KeptBundle[],
    take: (room: BlockRoom) => EnvelopeEntry[],
  ): ChosenContent {
    const room = this.#room();
    const fitting = this.#fitting(bundles, room);
    const bytes = fitting.reduce((sum, { envelope }) => sum + envelope.length, 0);
    const taken = take({
      count: room.count - fitting.length,
      bytes: room.bytes - bytes,
      atLeastOne: fitting.length === 0,
    });
    const { first, again } = byTransaction(taken);
    const { codes, clients } = this.#assess(
      fitting.map(({ envelope }) => envelope),
      first,
    );
    const clientCodes = codes.subarray(fitting.length);
    return {
      bundles: this.#validBundles(fitting, codes),
      clients: clients.filter((entry, index) => isOrdered(entry, clientCodes[index])),
      duplicates: [...again, ...clients.filter((_entry, index) => isKnown(clientCodes[index]))],
    };
  }

  #room(): { count: number; bytes: number } {
    const { maxMessageCount, preferredMaxBytes } = this.#parts.batchSize();
    return {
      count: Math.min(maxMessageCount, limits.transactionsPerBlockMax),
      bytes: Math.min(preferredMaxBytes, contentBytesMax),
    };
  }

  /** One always fits, as in Fabric: what is preferred is no bound. */
  #fitting(bundles: readonly KeptBundle[], room: { count: number; bytes: number }): KeptBundle[] {
    const fitting: KeptBundle[] = [];
    const later: Entry[] = [];
    let bytes = 0;
    for (const one of bundles) {
      bytes += one.envelope.length;
      const fits = fitting.length < room.count && bytes <= room.bytes;
      if (fits || fitting.length === 0) fitting.push(one);
      else later.push(...one.bundle.cut.entries);
    }
    this.#parts.giveBack(later);
    return fitting;
  }

  /** Codes of the bundles and of the clients' envelopes that can be assessed at all. */
  #assess(
    bundles: readonly Uint8Array[],
    clients: EnvelopeEntry[],
  ): { codes: Uint8Array; clients: EnvelopeEntry[] } {
    const { ledger, log } = this.#parts;
    const assess = (entries: readonly EnvelopeEntry[]) =>
      ledger.assess([...bundles, ...entries.map(({ envelope }) => envelope)]);
    try {
      return { codes: assess(clients), clients };
    } catch (error) {
      if (!isAboutContent(error) || clients.length === 0) throw error;
      // Rare, and somebody's intent: they are looked at one by one, and no good one suffers.
      log.warn({ code: error.code, ...error.detail }, 'an envelope cannot be assessed');
      const sound: EnvelopeEntry[] = [];
      for (const entry of clients) {
        const reason = failureOf(() => assess([...sound, entry]));
        if (reason === undefined) sound.push(entry);
        else entry.refuse(fault('MANAGER_ENVELOPE_HARMFUL', { code: reason.code }, reason));
      }
      return { codes: assess(sound), clients: sound };
    }
  }

  #validBundles(bundles: readonly KeptBundle[], codes: Uint8Array): KeptBundle[] {
    const later: Entry[] = [];
    const valid = bundles.filter(({ bundle }, index) => {
      if (codes[index] === validationCodes.VALID) return true;
      later.push(...anotherTry(bundle, codes[index]));
      return false;
    });
    this.#parts.giveBack(later);
    return valid;
  }
}

function byTransaction(entries: readonly EnvelopeEntry[]) {
  const seen = new Set<string>();
  const first: EnvelopeEntry[] = [];
  const again: EnvelopeEntry[] = [];
  for (const entry of entries) {
    (seen.has(entry.txId) ? again : first).push(entry);
    seen.add(entry.txId);
  }
  return { first, again };
}

function isKnown(code: number | undefined): boolean {
  return code === validationCodes.DUPLICATE_TXID;
}

/** Refuses the entry unless Fabric would order it, too. */
function isOrdered(entry: EnvelopeEntry, code: number | undefined): boolean {
  switch (code) {
    case validationCodes.VALID:
      return true;
    case validationCodes.MVCC_READ_CONFLICT:
    case validationCodes.PHANTOM_READ_CONFLICT:
      return !entry.alone;
    case validationCodes.ENDORSEMENT_POLICY_FAILURE: {
      const reason = failureOf(() => checkUnendorsedContent(entry.envelope));
      if (reason === undefined) return true;
      entry.refuse(reason);
      return false;
    }
    case validationCodes.DUPLICATE_TXID:
      return false;
    case validationCodes.BAD_CREATOR_SIGNATURE:
      entry.refuse(fault('MANAGER_ENVELOPE_FORGED'));
      return false;
    default:
      entry.refuse(fault('MANAGER_ENVELOPE_INVALID', { code }));
      return false;
  }
}

function failureOf(work: () => unknown): Fault | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'fatal') return error;
    throw error;
  }
}

function isAboutContent(error: unknown): error is Fault {
  return error instanceof Fault && error.kind === 'malformed';
}

/**
 * The entries that are simulated anew; the others are refused. That another of the wave came first
 * can happen to a request as often as there are others: every wave, one of them gets through.
 */
function anotherTry({ cut }: EndorsedBundle, code: number | undefined): readonly Entry[] {
  for (const entry of cut.entries) entry.conflicts += 1;
  if (code === validationCodes.MVCC_READ_CONFLICT) return cut.entries;
  if (code === validationCodes.PHANTOM_READ_CONFLICT) return cut.entries;
  return cut.entries.filter((entry) => {
    if (entry.conflicts <= invalidTriesMax) return true;
    refuse(entry, fault('MANAGER_BUNDLE_CONFLICTING', { code }));
    return false;
  });
}
