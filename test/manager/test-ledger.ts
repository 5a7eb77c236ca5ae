/** A real ledger with a channel's genesis block, one contract, and blocks of bundles on demand. */
import { randomBytes, sign } from 'node:crypto';
import type { Test } from 'tap';
import { emptyBytes, silentLog, utf8 } from '#base';
import { derToRaw, normaliseEcdsa } from '#crypto';
import {
  BundleEvents,
  BundleResult,
  ChaincodeEvent,
  Envelope,
  SignatureHeader,
  blockMetadata,
  blockSignatureInput,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  bundleEventName,
  bundleFunction,
  dataHash,
  definitionWrites,
  encodeRwSet,
  lifecycleNamespace,
  parseRequest,
  parseRwSet,
  parseTransaction,
  signaturesValue,
  validationCodes,
} from '#formats';
import type { KvWrite, RequestEvent, RequestResult, ValidationCode } from '#formats';
import { openLedger } from '#ledger';
import type { CommittedBlock, Ledger } from '#ledger';
import { channelId, makeMember, startMs } from './channel.ts';
import type { TestChannel, TestMember } from './channel.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

export interface BundleSpec {
  requests: readonly Uint8Array[];
  /** For each request; executed and answered with its own text when absent. */
  result?: (request: Uint8Array, index: number) => Partial<RequestResult>;
  events?: readonly RequestEvent[];
}

/** A transaction as any Fabric client makes it, which is none of requests. */
export interface PlainSpec {
  contract: string;
  event?: Partial<ChaincodeEvent>;
}

export type CodedSpec = (BundleSpec | PlainSpec) & { code?: ValidationCode };

export interface TestLedger {
  ledger: Ledger;
  /** Makes the next block of these bundles, signed by the zone. */
  commit: (bundles: readonly BundleSpec[], code?: ValidationCode) => Promise<CommittedBlock>;
  /** Makes the next block of transactions that each get a code of their own. */
  commitEach: (specs: readonly CodedSpec[]) => Promise<CommittedBlock>;
  /** The same in two steps, for tests that have to know the ids before. */
  prepare: (specs: readonly CodedSpec[]) => PreparedBlock;
}

export interface PreparedBlock {
  txIds: string[];
  commit: () => Promise<CommittedBlock>;
}

export async function openTestLedger(t: Test, channel: TestChannel): Promise<TestLedger> {
  const zone = channel.authorities.ZoneMSP;
  const orderer = await makeMember(zone, 'ZoneMSP', { unit: 'orderer', name: 'orderer' });
  const relay = await makeMember(zone, 'ZoneMSP', { name: 'relay' });
  let codes: ValidationCode[] = [];
  const dir = temporaryDir(t);
  const ledger = await openLedger({
    dir,
    log: silentLog,
    // Signatures and policies are another part's; here every transaction gets the verdict asked for.
    validate: (block) =>
      (block.data?.data ?? []).map((envelope, index) => {
        const { channelHeader, endorsed } = parseTransaction(envelope);
        const rwset = parseRwSet(endorsed?.action.results ?? emptyBytes);
        const code = codes[index] ?? validationCodes.VALID;
        return { code, txId: channelHeader.txId, type: channelHeader.type, rwset };
      }),
  });
  t.teardown(() => ledger[Symbol.asyncDispose]());
  await ledger.init(channel.genesis);
  await makeBlock(ledger, orderer, [definition(relay)]);
  const prepare = (specs: readonly CodedSpec[]): PreparedBlock => {
    const envelopes = specs.map((spec) =>
      'requests' in spec ? bundleEnvelope(relay, spec) : plainEnvelope(relay, spec),
    );
    const commit = () => {
      codes = specs.map(({ code = validationCodes.VALID }) => code);
      return makeBlock(ledger, orderer, envelopes);
    };
    return {
      txIds: envelopes.map((envelope) => parseTransaction(envelope).channelHeader.txId),
      commit,
    };
  };
  const commitEach = (specs: readonly CodedSpec[]) => prepare(specs).commit();
  return {
    ledger,
    commit: (bundles, code = validationCodes.VALID) =>
      commitEach(bundles.map((bundle) => ({ ...bundle, code }))),
    prepare,
    commitEach,
  };
}

async function makeBlock(
  ledger: Ledger,
  orderer: TestMember,
  envelopes: Uint8Array[],
): Promise<CommittedBlock> {
  const { header, evidenceAfter } = await ledger.propose({
    header: {
      number: ledger.height,
      previousHash: ledger.lastHeaderHash,
      dataHash: dataHash(envelopes),
    },
    data: envelopes,
  });
  const { size, root } = evidenceAfter;
  const facts = { lastConfigIndex: 0n, consenterMetadata: { treeSize: size, rootHash: root } };
  const value = signaturesValue(facts);
  const nonce = new Uint8Array(randomBytes(24));
  const signatureHeader = SignatureHeader.encode({ creator: orderer.serialized, nonce });
  const input = blockSignatureInput(value, signatureHeader, header);
  const der = new Uint8Array(sign('sha256', input, orderer.key.privateKey));
  const signature = normaliseEcdsa(derToRaw(der, 32), 'P-256');
  return ledger.seal(
    blockMetadata(facts, value, [{ signatureHeader, signature, identifierHeader: emptyBytes }]),
  );
}

function definition(relay: TestMember): Uint8Array {
  const writes = definitionWrites({
    name: 'notary',
    version: '1',
    sequence: 1n,
    applicationPolicy: utf8('policy'),
  });
  const args = [utf8('CommitChaincodeDefinition')];
  return envelopeOf(relay, { contract: lifecycleNamespace, args, payload: emptyBytes, writes });
}

function plainEnvelope(relay: TestMember, { contract, event }: PlainSpec): Uint8Array {
  const args = [utf8('deposit')];
  return envelopeOf(relay, { contract, args, payload: emptyBytes, ...(event && { event }) });
}

function bundleEnvelope(relay: TestMember, spec: BundleSpec): Uint8Array {
  const { requests, result, events = [] } = spec;
  const results = requests.map((request, index) => ({
    requestId: parseRequest(request).requestIdBytes,
    status: 200,
    message: '',
    payloads: [utf8(`answer ${index}`)],
    code: '',
    ...result?.(request, index),
  }));
  const args = [utf8(bundleFunction), ...requests];
  const payload = BundleResult.encode({ results });
  const bundleEvents = { events: [...events] };
  const event = { eventName: bundleEventName, payload: BundleEvents.encode(bundleEvents) };
  return envelopeOf(relay, {
    contract: 'notary',
    args,
    payload,
    ...(events.length > 0 && { event }),
  });
}

interface EnvelopeSpec {
  contract: string;
  args: Uint8Array[];
  payload: Uint8Array;
  writes?: KvWrite[];
  event?: Partial<ChaincodeEvent>;
}

function envelopeOf(relay: TestMember, spec: EnvelopeSpec): Uint8Array {
  const { contract, args, payload, writes = [], event } = spec;
  const proposal = buildProposal({
    channel: channelId,
    contract,
    args,
    creator: relay.serialized,
    nonce: new Uint8Array(randomBytes(24)),
    timeMs: startMs,
  });
  const set = { namespace: contract, reads: [], rangeQueries: [], writes, metadataWrites: [] };
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    results: encodeRwSet({ namespaces: [set] }),
    ...(event && {
      events: ChaincodeEvent.encode({ chaincodeId: contract, txId: proposal.txId, ...event }),
    }),
    response: { status: 200, message: '', payload },
    chaincodeId: { path: '', name: contract, version: '1' },
  });
  const endorsements = [{ endorser: relay.serialized, signature: utf8('signature') }];
  const signed = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
  return Envelope.encode({ payload: signed, signature: utf8('signature') });
}
