import { createHash } from 'node:crypto';
import protos from '@hyperledger/fabric-protos';
import t from 'tap';
import { concatBytes, emptyBytes, toHex, utf8 } from '#base';
import {
  BundleEvents,
  BundleResult,
  ChaincodeEvent,
  Envelope,
  EvidenceLeaf,
  Payload,
  Transaction,
  buildChannelHeader,
  buildProposal,
  bundleEventName,
  bundleOf,
  bundleFunction,
  evidenceLeaves,
  headerTypes,
  parseRwSet,
  parseTransaction,
  proposalHash,
  transactionId,
} from '#formats';
import { bundleEnvelope, events, proposalSpec, requests, results, rwset } from './sample.ts';

const hashOf = (...parts: Uint8Array[]) =>
  createHash('sha256')
    .update(concatBytes(...parts))
    .digest('hex');

t.test('transaction id and proposal hash are those of Fabric', async (t) => {
  const { nonce, creator } = proposalSpec;
  const built = buildProposal(proposalSpec);
  t.equal(transactionId(nonce, creator), hashOf(nonce, creator));
  t.equal(built.txId, hashOf(nonce, creator));
  const { channelHeader, signatureHeader, proposalPayload } = built;
  t.equal(
    toHex(proposalHash(channelHeader, signatureHeader, proposalPayload)),
    hashOf(channelHeader, signatureHeader, proposalPayload),
  );
});

t.test('a channel header keeps milliseconds and needs no contract', async (t) => {
  const bytes = buildChannelHeader({ type: headerTypes.config, channel: 'c', timeMs: 1_500 });
  const header = protos.common.ChannelHeader.deserializeBinary(bytes);
  t.equal(header.getType(), 1);
  t.equal(header.getTimestamp()?.getSeconds(), 1);
  t.equal(header.getTimestamp()?.getNanos(), 500_000_000);
  t.equal(header.getExtension_asU8().length, 0);
});

t.test('every layer of an envelope reads back as it was built', async (t) => {
  const { proposal, proposalResponsePayload, endorsements, envelope } = bundleEnvelope();
  const parsed = parseTransaction(envelope);
  t.equal(parsed.channelHeader.channelId, 'deeds');
  t.equal(parsed.channelHeader.txId, proposal.txId);
  t.strictSame(parsed.channelHeaderBytes, proposal.channelHeader);
  t.strictSame(parsed.signatureHeaderBytes, proposal.signatureHeader);
  t.strictSame(parsed.signatureHeader.nonce, proposalSpec.nonce);
  t.strictSame(parsed.endorsed?.header, proposal.signatureHeader);
  t.strictSame(parsed.endorsed?.proposalPayload, proposal.proposalPayload);
  t.strictSame(parsed.endorsed?.proposalResponsePayload, proposalResponsePayload);
  t.strictSame(parsed.endorsed?.endorsements, endorsements);
  t.strictSame(parseRwSet(parsed.endorsed?.action.results ?? emptyBytes), rwset);
  const { channelHeader, signatureHeader, proposalPayload } = proposal;
  t.equal(
    toHex(parsed.endorsed?.proposalHash ?? emptyBytes),
    hashOf(channelHeader, signatureHeader, proposalPayload),
  );
});

t.test('a stock client reads the contract, the arguments and the response', async (t) => {
  const { envelope } = bundleEnvelope();
  const { common, peer } = protos;
  const outer = common.Envelope.deserializeBinary(envelope);
  const payload = common.Payload.deserializeBinary(outer.getPayload_asU8());
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  const actionPayload = peer.ChaincodeActionPayload.deserializeBinary(
    action?.getPayload_asU8() ?? emptyBytes,
  );
  const proposalPayload = peer.ChaincodeProposalPayload.deserializeBinary(
    actionPayload.getChaincodeProposalPayload_asU8(),
  );
  const spec = peer.ChaincodeInvocationSpec.deserializeBinary(
    proposalPayload.getInput_asU8(),
  ).getChaincodeSpec();
  t.equal(spec?.getChaincodeId()?.getName(), 'notary');
  t.equal(spec?.getInput()?.getArgsList_asU8().length, 3);
  t.equal(actionPayload.getAction()?.getEndorsementsList().length, 2);
});

t.test('a bundle gives its requests, results and events', async (t) => {
  const bundle = bundleOf(parseTransaction(bundleEnvelope().envelope));
  t.strictSame(bundle, { contract: 'notary', requests, results, events });
});

t.test('an evidence leaf commits to the request, its result and its place', async (t) => {
  const bundle = bundleOf(parseTransaction(bundleEnvelope().envelope));
  if (bundle === undefined) throw new Error('a bundle is missing');
  const leaves = evidenceLeaves(bundle, { blockNumber: 2n ** 40n, txId: 'ff', code: 11 });
  t.equal(leaves.length, 2);
  const leaf = EvidenceLeaf.decodeCanonical(leaves[1] ?? emptyBytes);
  t.equal(toHex(leaf.requestHash), hashOf(utf8('ddd.eee.fff')));
  t.match(leaf, { blockNumber: 2n ** 40n, txId: 'ff', requestIndex: 1, validationCode: 11 });
});

t.test('what only calls itself a bundle is none', async (t) => {
  const foreign: Record<string, Parameters<typeof bundleEnvelope>[0]> = {
    'another function': { args: [utf8('transfer'), ...requests] },
    'no arguments': { args: [] },
    'no requests': { args: [utf8(bundleFunction)] },
    'fewer results': { payload: BundleResult.encode({ results: results.slice(1) }) },
    'result is not one': { payload: utf8('ok') },
    'result with an unknown field': {
      payload: concatBytes(BundleResult.encode({ results }), Uint8Array.of(0x18, 1)),
    },
    'event of a request that is not there': {
      events: ChaincodeEvent.encode({
        eventName: bundleEventName,
        payload: BundleEvents.encode({ events: [{ requestIndex: 2, name: 'x' } as never] }),
      }),
    },
    'event that cannot be read': { events: utf8('?') },
  };
  for (const [why, change] of Object.entries(foreign)) {
    t.equal(bundleOf(parseTransaction(bundleEnvelope(change).envelope)), undefined, why);
  }
});

t.test('a configuration is read without an action', async (t) => {
  const channelHeader = buildChannelHeader({
    type: headerTypes.config,
    channel: 'c',
    timeMs: 0,
  });
  const payload = Payload.encode({
    header: { channelHeader, signatureHeader: emptyBytes },
    data: utf8('config'),
  });
  const parsed = parseTransaction(Envelope.encode({ payload }));
  t.equal(parsed.endorsed, undefined);
  t.strictSame(parsed.data, utf8('config'));
  t.equal(bundleOf(parsed), undefined);
});

t.test('a missing layer is named', async (t) => {
  const refuses = (envelope: Uint8Array, reason: string) =>
    t.throws(() => parseTransaction(envelope), {
      code: 'FORMATS_TRANSACTION_MALFORMED',
      detail: { reason },
    });
  refuses(emptyBytes, 'no header');
  const { channelHeader, signatureHeader } = buildProposal(proposalSpec);
  const withData = (data: Uint8Array) =>
    Envelope.encode({
      payload: Payload.encode({ header: { channelHeader, signatureHeader }, data }),
    });
  refuses(withData(emptyBytes), 'not one action');
  refuses(withData(Transaction.encode({ actions: [{}, {}] as never })), 'not one action');
  refuses(withData(Transaction.encode({ actions: [{}] as never })), 'no endorsed action');
});
