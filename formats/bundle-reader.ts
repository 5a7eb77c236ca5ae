import { Fault, emptyBytes, equalBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  BundleEvents,
  BundleResult,
  EvidenceLeaf,
  RequestResult,
  bundleEventName,
  bundleFunction,
} from './bundle.ts';
import type { RequestEvent } from './bundle.ts';
import { ChaincodeEvent } from './fabric-peer.ts';
import type { ValidationCode } from './fabric-peer.ts';
import type { EndorsedAction, ParsedTransaction } from './transaction.ts';

/** The signed requests of one transaction and what became of them, index for index. */
export interface Bundle {
  contract: string;
  /** Compact JWS as the clients sent them. */
  requests: Uint8Array[];
  /** As many as requests. */
  results: RequestResult[];
  events: RequestEvent[];
}

/**
 * The bundle inside a transaction.
 *
 * @returns undefined for every other transaction, also for one that only calls itself a bundle.
 */
export function bundleOf({ endorsed }: ParsedTransaction): Bundle | undefined {
  const args = endorsed?.invocation?.input?.args ?? [];
  const requests = args.slice(1);
  if (endorsed === undefined || !isBundleCall(args) || requests.length === 0) return undefined;
  try {
    // Canonical, so that encoding one result anew gives the bytes that were endorsed.
    const { results } = BundleResult.decodeCanonical(
      endorsed.action.response?.payload ?? emptyBytes,
    );
    const events = eventsOf(endorsed);
    const matches =
      results.length === requests.length &&
      events.every((event) => event.requestIndex < requests.length);
    if (!matches) return undefined;
    return { contract: endorsed.invocation?.chaincodeId?.name ?? '', requests, results, events };
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** Whether a proposal's arguments are those of a bundle, which only the zone may propose. */
export function isBundleCall([name]: readonly Uint8Array[]): boolean {
  return name !== undefined && equalBytes(name, functionBytes);
}

/** Where a bundle stands and what validation said of it. */
export interface BundlePlace {
  blockNumber: bigint;
  txId: string;
  code: ValidationCode;
}

/** Inputs of the evidence log's leaves for a bundle, in the order of its requests. */
export function evidenceLeaves(bundle: Bundle, place: BundlePlace): Uint8Array[] {
  return bundle.results.map((result, requestIndex) =>
    EvidenceLeaf.encode({
      requestHash: sha256(bundle.requests[requestIndex] ?? emptyBytes),
      resultHash: sha256(RequestResult.encode(result)),
      blockNumber: place.blockNumber,
      txId: place.txId,
      requestIndex,
      validationCode: place.code,
    }),
  );
}

const functionBytes = utf8(bundleFunction);

function eventsOf({ action }: EndorsedAction): RequestEvent[] {
  if (action.events.length === 0) return [];
  const event = ChaincodeEvent.decode(action.events);
  return event.eventName === bundleEventName
    ? BundleEvents.decodeCanonical(event.payload).events
    : [];
}
