import { randomBytes } from 'node:crypto';
import { Fault, limits, utf8 } from '#base';
import type { Clock } from '#base';
import {
  approvalKeysFunction,
  buildEnvelopePayload,
  buildProposal,
  bundleFunction,
  lifecycleNamespace,
} from '#formats';
import type { BuiltProposal, ClientCertificate, EndorseTask, SignerClient } from '#formats';
import type { Ledger } from '#ledger';
import type { Cut } from './bundler.ts';
import type { EndorsementCollector, EndorsementResult, EndorserAnswer } from './endorsement.ts';
import { kindOf } from './endorsement.ts';
import type { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';
import type { LifecycleEndorsers } from './lifecycle-endorsers.ts';
import type { NodePlans } from './node-plans.ts';
import { sealEnvelopes } from './seal-envelopes.ts';
import { refuse, refuseAll } from './wave-entries.ts';
import type { EndorsedBundle, Entry } from './wave-entries.ts';

const nonceBytes = 24;

export interface BundleEndorsingParts {
  channel: string;
  ledger: Ledger;
  collector: EndorsementCollector;
  pool: EndorserPool;
  plans: NodePlans;
  lifecycleEndorsers: LifecycleEndorsers;
  signer: SignerClient;
  /** Label and msp.SerializedIdentity of the relay key that signs now. */
  relayKey: () => { label: string; serializedIdentity: Uint8Array };
  /** protos.ApplicationPolicy bytes of a contract. @throws MANAGER_CONTRACT_UNKNOWN */
  policyOf: (contract: string) => Uint8Array;
  clock: Clock;
}

/** Makes envelopes of bundles: proposes them, has them endorsed, signs them with the relay's key. */
export class BundleEndorsing {
  readonly #parts: BundleEndorsingParts;
  /** Takes back requests for which only the bundle was full. */
  readonly #giveBack: (entries: readonly Entry[]) => void;

  constructor(parts: BundleEndorsingParts, giveBack: (entries: readonly Entry[]) => void) {
    this.#parts = parts;
    this.#giveBack = giveBack;
  }

  /** Requests the endorsers refuse are answered and left out. */
  async endorse(cut: Cut<Entry>): Promise<EndorsedBundle | undefined> {
    let entries = cut.entries;
    for (let round = 0; entries.length > 0; round += 1) {
      const requests = entries.map((entry) => entry.admitted.request.bytes);
      const relayKey = this.#parts.relayKey();
      const proposal = this.#propose(relayKey, cut.contract, [utf8(bundleFunction), ...requests]);
      const result = await this.#collect(cut.contract, proposal, entries);
      if (result.kind === 'endorsed') {
        return { ...result, cut: { ...cut, entries }, proposal, relayLabel: relayKey.label };
      }
      if (result.kind === 'failed' || round >= limits.endorseAttemptsMax) {
        const reason =
          result.kind === 'failed' ? result.fault : fault('MANAGER_ENDORSERS_UNREACHABLE');
        refuseAll(entries, reason);
        return undefined;
      }
      entries = this.#withoutRefused(entries, result.final);
    }
    return undefined;
  }

  /**
   * The transaction without any request that makes the approvals keys that are missing.
   *
   * @returns common.Envelope bytes.
   * @throws ENDORSER_…, HSM_…, BASE_LINK_…, MANAGER_…
   */
  async approvalKeysEnvelope(): Promise<Uint8Array> {
    const { signer } = this.#parts;
    const relayKey = this.#parts.relayKey();
    const proposal = this.#propose(relayKey, lifecycleNamespace, [utf8(approvalKeysFunction)]);
    const result = await this.#collect(lifecycleNamespace, proposal, []);
    if (result.kind === 'failed') throw result.fault;
    if (result.kind === 'final') throw fault('MANAGER_APPROVALS_UNMADE');
    const payload = buildEnvelopePayload({ ...proposal, ...result });
    const [envelope = payload] = await sealEnvelopes(signer, [
      { keyLabel: relayKey.label, payload },
    ]);
    return envelope;
  }

  /** All bundles' envelopes; undefined, and all refused, when the signer is out of reach. */
  async seal(bundles: readonly EndorsedBundle[]): Promise<Uint8Array[] | undefined> {
    const items = bundles.map((bundle) => ({
      keyLabel: bundle.relayLabel,
      payload: buildEnvelopePayload({ ...bundle.proposal, ...bundle }),
    }));
    try {
      return await sealEnvelopes(this.#parts.signer, items);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      for (const { cut } of bundles) refuseAll(cut.entries, error);
      return undefined;
    }
  }

  /** Answers the refused requests; those for which only the bundle was full wait for the next. */
  #withoutRefused(entries: Entry[], refusals: readonly Refusal[]): Entry[] {
    const refused = new Map(refusals.map((one) => [one.requestIndex, one.fault]));
    const later: Entry[] = [];
    for (const [index, reason] of refused) {
      const entry = entries[index];
      if (entry === undefined) continue;
      // The first request of a bundle always fits: no endorser can put off a bundle for ever.
      if (reason.code === 'ENDORSER_BUNDLE_FULL' && index > 0) later.push(entry);
      else refuse(entry, reason);
    }
    this.#giveBack(later);
    return entries.filter((_entry, index) => !refused.has(index));
  }

  #propose(
    relayKey: { serializedIdentity: Uint8Array },
    contract: string,
    args: readonly Uint8Array[],
  ): BuiltProposal {
    const { channel, clock } = this.#parts;
    return buildProposal({
      channel,
      contract,
      args,
      creator: relayKey.serializedIdentity,
      nonce: new Uint8Array(randomBytes(nonceBytes)),
      timeMs: clock.nowMs(),
    });
  }

  async #collect(
    contract: string,
    proposal: BuiltProposal,
    entries: readonly Entry[],
  ): Promise<EndorsementResult<Refusal[]>> {
    const { collector, ledger, pool } = this.#parts;
    const { channelHeader, signatureHeader, proposalPayload } = proposal;
    const task = {
      channelHeader,
      signatureHeader,
      proposalPayload,
      clients: clientsOf(entries),
    };
    const { height } = ledger;
    try {
      return await collector.collect({
        contract,
        proposal,
        alternatives: this.#alternatives(contract, entries),
        ask: ({ endorser, nodes }) =>
          askFor(pool, endorser, { ...task, targetNodes: nodes }, height),
      });
    } catch (error) {
      if (!(error instanceof Fault) || error.kind === 'fatal') throw error;
      return { kind: 'failed', fault: error };
    }
  }

  /** @throws MANAGER_CONTRACT_UNKNOWN */
  #alternatives(contract: string, entries: readonly Entry[]) {
    const { policyOf, plans, lifecycleEndorsers, clock } = this.#parts;
    if (contract === lifecycleNamespace) {
      const at = new Date(clock.nowMs());
      const admitted = entries[0]?.admitted;
      return (reachable: ReadonlySet<string>) =>
        lifecycleEndorsers.alternatives(admitted, at, reachable);
    }
    const policy = policyOf(contract);
    return (reachable: ReadonlySet<string>) => plans.ofPolicy(policy, reachable);
  }
}

/** A request that must not be in the bundle. */
interface Refusal {
  requestIndex: number;
  fault: Fault;
}

async function askFor(
  pool: EndorserPool,
  endorser: string,
  task: EndorseTask,
  height: bigint,
): Promise<EndorserAnswer<Refusal[]>> {
  const [outcome] = await pool.endorse(endorser, [task], height);
  if (outcome === undefined) throw fault('MANAGER_ENDORSEMENT_MISSING');
  const { faultCode, faultKind, faultSentence, refusals } = outcome;
  if (faultCode !== '') throw new Fault(faultCode, kindOf(faultKind), faultSentence, {});
  if (refusals.length === 0) return { kind: 'endorsed', ...outcome };
  return {
    kind: 'final',
    final: refusals.map(({ requestIndex, code, kind, sentence }) => ({
      requestIndex,
      fault: new Fault(code, kindOf(kind), sentence, {}),
    })),
  };
}

function clientsOf(entries: readonly Entry[]): ClientCertificate[] {
  const clients = new Map<string, Uint8Array>();
  for (const { admitted } of entries) {
    if (admitted.keyId !== undefined) clients.set(admitted.keyId, admitted.certificate);
  }
  return [...clients].map(([keyId, certificate]) => ({ keyId, certificate }));
}
