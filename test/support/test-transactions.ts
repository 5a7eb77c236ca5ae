/** Endorsed transactions as the zone makes them: bundles of signed requests, and definitions. */
import { concatBytes, toBase64Url, utf8 } from '#base';
import { derToRaw } from '#crypto';
import {
  ApplicationPolicy,
  BundleResult,
  Envelope,
  assembleJws,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  bundleFunction,
  definitionWrites,
  encodeRequest,
  encodeRwSet,
  lifecycleNamespace,
  parseRequest,
  validationCodes,
} from '#formats';
import type { Endorsement, NamespaceRwSet, RequestSigner, ValidationCode } from '#formats';
import { channelId } from '../policy/test-channel.ts';
import type { TestNetwork } from '../policy/test-channel.ts';

/** When everything here is made: inside the dates of all test certificates. */
export const madeMs = Date.parse('2026-06-01T12:00:00Z');

export interface TestTransaction {
  /** common.Envelope bytes. */
  envelope: Uint8Array;
  txId: string;
  /** What every peer has to say of it. */
  code: ValidationCode;
}

export interface TransactionSpec {
  contract: string;
  /** Arguments of the proposal. */
  args: readonly Uint8Array[];
  rwset: Partial<NamespaceRwSet>;
  /** Bytes of the response. */
  result?: Uint8Array;
  /** Organisations whose peers endorse, by index; all when absent. */
  endorsedBy?: readonly number[];
  code?: ValidationCode;
}

let transactions = 0;

/** A transaction with any content, endorsed by peers of the network's organisations. */
export function transactionOf(network: TestNetwork, spec: TransactionSpec): TestTransaction {
  const { contract, args, rwset, result = utf8('ok'), code = validationCodes.VALID } = spec;
  const { zone, orgs } = network;
  transactions += 1;
  const nonce = new Uint8Array(24);
  new DataView(nonce.buffer).setUint32(0, transactions);
  const creator = zone.client.serialized(zone.mspid);
  const proposal = buildProposal({
    channel: channelId,
    contract,
    args,
    creator,
    nonce,
    timeMs: madeMs,
  });
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    results: encodeRwSet({ namespaces: [{ ...emptyRwset, namespace: contract, ...rwset }] }),
    response: { status: 200, message: '', payload: result },
    chaincodeId: { path: '', name: contract, version: '1.0' },
  });
  const endorsers = spec.endorsedBy?.map((index) => orgs[index]!) ?? orgs;
  const endorsements = endorsers.map(({ mspid, peer }): Endorsement => {
    const endorser = peer.serialized(mspid);
    return { endorser, signature: peer.sign(concatBytes(proposalResponsePayload, endorser)) };
  });
  const payload = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
  const envelope = Envelope.encode({ payload, signature: zone.client.sign(payload) });
  return { envelope, txId: proposal.txId, code };
}

const emptyRwset = { reads: [], rangeQueries: [], writes: [], metadataWrites: [] };

/** Defines a contract under a policy of the channel. */
export function definitionOf(network: TestNetwork, name: string): TestTransaction {
  const applicationPolicy = ApplicationPolicy.encode({
    channelConfigPolicyReference: '/Channel/Application/Endorsement',
  });
  const definition = { name, version: '1.0', sequence: 1n, applicationPolicy };
  const writes = definitionWrites(definition, utf8('\0asm no code'));
  return transactionOf(network, {
    contract: lifecycleNamespace,
    args: [utf8('deploy')],
    rwset: { writes },
  });
}

/** One bundle of requests for a contract that writes each request's argument under its key. */
export function bundleTransaction(
  network: TestNetwork,
  requests: readonly Uint8Array[],
  spec: Partial<TransactionSpec> = {},
): TestTransaction {
  const parsed = requests.map((jws) => parseRequest(jws));
  // A simulation leaves one write of a key, the last; two would mean something else to a peer.
  const values = new Map(
    parsed.flatMap(({ payload }) =>
      payload.operations.map(({ args: [key = '', value = ''] }) => [key, value] as const),
    ),
  );
  const writes = [...values].map(([key, value]) => ({ key, isDelete: false, value: utf8(value) }));
  const results = parsed.map(({ requestIdBytes, payload }) => ({
    requestId: requestIdBytes,
    status: 200,
    message: '',
    payloads: payload.operations.map(() => utf8('done')),
    code: '',
  }));
  return transactionOf(network, {
    contract: 'notary',
    args: [utf8(bundleFunction), ...requests],
    rwset: { writes },
    result: BundleResult.encode({ results }),
    ...spec,
  });
}

export interface RequestSpec {
  key: string;
  value: string;
  /** Registered key, or a certificate of the client's that goes along. */
  with?: 'kid' | 'certificate';
  channel?: string;
}

let nonces = 0;

/** A request signed by a client of the first organisation: compact JWS. */
export function requestOf(network: TestNetwork, spec: RequestSpec): Uint8Array {
  const { client } = network.orgs[0]!;
  nonces += 1;
  const nonce = new Uint8Array(16);
  new DataView(nonce.buffer).setUint32(0, nonces);
  const signer: RequestSigner =
    spec.with === 'certificate'
      ? { alg: 'ES256', x5c: [client.certificate.der] }
      : { alg: 'ES256', kid: 'clerk' };
  const input = encodeRequest(signer, {
    channel: spec.channel ?? channelId,
    contract: 'notary',
    operations: [{ function: 'put', args: [spec.key, spec.value] }],
    nonce: toBase64Url(nonce),
    iat: madeMs / 1_000,
    exp: madeMs / 1_000 + 600,
  });
  return utf8(assembleJws(input, derToRaw(client.sign(input), 32)));
}
