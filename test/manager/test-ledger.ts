/** A real ledger with a channel's genesis block, one contract, and blocks of bundles on demand. */
import { randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { emptyBytes, silentLog, utf8 } from '#base';
import { derToRaw, normaliseEcdsa } from '#crypto';
import {
  BundleResult,
  Envelope,
  SignatureHeader,
  blockMetadata,
  blockSignatureInput,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
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
import type { KvWrite, RequestResult, ValidationCode } from '#formats';
import { openLedger } from '#ledger';
import type { CommittedBlock, Ledger } from '#ledger';
import { channelId, makeMember, startMs } from './channel.ts';
import type { TestChannel, TestMember } from './channel.ts';

export interface BundleSpec {
  requests: readonly Uint8Array[];
  /** For each request; executed and answered with its own text when absent. */
  result?: (request: Uint8Array, index: number) => Partial<RequestResult>;
}

export interface TestLedger {
  ledger: Ledger;
  /** Makes the next block of these bundles, signed by the zone. */
  commit: (bundles: readonly BundleSpec[], code?: ValidationCode) => Promise<CommittedBlock>;
}

export async function openTestLedger(t: Test, channel: TestChannel): Promise<TestLedger> {
  const zone = channel.authorities.ZoneMSP;
  const orderer = await makeMember(zone, 'ZoneMSP', { unit: 'orderer', name: 'orderer' });
  const relay = await makeMember(zone, 'ZoneMSP', { name: 'relay' });
  let code: ValidationCode = validationCodes.VALID;
  const dir = mkdtempSync(join(tmpdir(), 'countersign-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const ledger = await openLedger({
    dir,
    log: silentLog,
    // Signatures and policies are another part's; here every transaction gets the verdict asked for.
    validate: (block) =>
      (block.data?.data ?? []).map((envelope) => {
        const { channelHeader, endorsed } = parseTransaction(envelope);
        const rwset = parseRwSet(endorsed?.action.results ?? emptyBytes);
        return { code, txId: channelHeader.txId, type: channelHeader.type, rwset };
      }),
  });
  t.teardown(() => ledger[Symbol.asyncDispose]());
  await ledger.init(channel.genesis);
  await makeBlock(ledger, orderer, [definition(relay)]);
  return {
    ledger,
    commit: (bundles, wanted = validationCodes.VALID) => {
      code = wanted;
      return makeBlock(
        ledger,
        orderer,
        bundles.map((bundle) => bundleEnvelope(relay, bundle)),
      );
    },
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
  return envelopeOf(
    relay,
    lifecycleNamespace,
    [utf8('CommitChaincodeDefinition')],
    emptyBytes,
    writes,
  );
}

function bundleEnvelope(relay: TestMember, { requests, result }: BundleSpec): Uint8Array {
  const results = requests.map((request, index) => ({
    requestId: parseRequest(request).requestIdBytes,
    status: 200,
    message: '',
    payloads: [utf8(`answer ${index}`)],
    code: '',
    ...result?.(request, index),
  }));
  const args = [utf8(bundleFunction), ...requests];
  return envelopeOf(relay, 'notary', args, BundleResult.encode({ results }), []);
}

function envelopeOf(
  relay: TestMember,
  contract: string,
  args: Uint8Array[],
  payload: Uint8Array,
  writes: KvWrite[],
): Uint8Array {
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
    response: { status: 200, message: '', payload },
    chaincodeId: { path: '', name: contract, version: '1' },
  });
  const endorsements = [{ endorser: relay.serialized, signature: utf8('signature') }];
  const signed = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
  return Envelope.encode({ payload: signed, signature: utf8('signature') });
}
