/** What a client may send and stock peers must not get. The numbers are those of docs/FABRIC.md. */
import t from 'tap';
import { emptyBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ChannelHeader,
  Envelope,
  KvRwSet,
  Payload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  headerTypes,
} from '#formats';
import type { ChaincodeAction, CollectionHashedReadWriteSet, NsReadWriteSet } from '#formats';
import { checkUnendorsedContent, readClientEnvelope } from '../../manager/client-envelope.ts';
import { config, creator, endorsers, garbage, mirrored, spec } from '../policy/test-validation.ts';

const { identity, mspid } = creator;
const serialized = identity.serialized(mspid);
const nonce = new Uint8Array(24).fill(3);
const nodes = endorsers.map((one) => toHex(one.identity.serialized(one.mspid)));
const context = {
  config,
  nowMs: Date.parse('2026-06-01T00:00:00Z'),
  isNode: (node: Uint8Array) => nodes.includes(toHex(node)),
};
const read = (envelope: Uint8Array, nowMs = context.nowMs) =>
  readClientEnvelope(envelope, { ...context, nowMs });

interface Changes {
  channelHeader?: Partial<ChannelHeader>;
  sets?: Partial<NsReadWriteSet>[];
  action?: Partial<ChaincodeAction>;
  data?: (data: Uint8Array) => Uint8Array;
  payload?: (payload: Uint8Array) => Uint8Array;
  signature?: (signature: Uint8Array) => Uint8Array;
}

/** A client's envelope with an endorsed transaction, good but for the changes. */
function envelopeWith(changes: Changes = {}): Uint8Array {
  const args = [utf8('note')];
  const { channelId: channel } = spec;
  const timeMs = context.nowMs;
  const contract = 'notary';
  const made = buildProposal({ channel, contract, args, creator: serialized, nonce, timeMs });
  const header = ChannelHeader.decode(made.channelHeader);
  const channelHeader = ChannelHeader.encode({ ...header, ...changes.channelHeader });
  const proposal = { ...made, channelHeader };
  const nsRwset = (changes.sets ?? [{}]).map((set) => ({
    namespace: contract,
    rwset: KvRwSet.encode({ writes: [{ key: 'k', isDelete: false, value: utf8('v') }] }),
    collectionHashedRwset: [],
    ...set,
  }));
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    results: TxReadWriteSet.encode({ nsRwset }),
    response: { status: 200, message: '', payload: emptyBytes },
    chaincodeId: { path: '', name: contract, version: '1' },
    ...changes.action,
  });
  const endorsements = endorsers.map((one) => ({
    endorser: one.identity.serialized(one.mspid),
    signature: utf8('not looked at here'),
  }));
  const parts = { ...proposal, proposalResponsePayload, endorsements };
  const built = Payload.decode(buildEnvelopePayload(parts));
  const data = changes.data?.(built.data) ?? built.data;
  const payload = Payload.encode({ header: built.header!, data });
  return sealed(changes.payload?.(payload) ?? payload, changes.signature);
}

function sealed(payload: Uint8Array, change = (made: Uint8Array) => made): Uint8Array {
  return Envelope.encode({ payload, signature: change(identity.sign(payload)) });
}

const malformed = { code: 'MANAGER_ENVELOPE_MALFORMED' };
const invalid = { code: 'MANAGER_ENVELOPE_INVALID' };
const harmful = { code: 'MANAGER_ENVELOPE_HARMFUL' };
const forged = { code: 'MANAGER_ENVELOPE_FORGED' };

t.test('a good envelope is taken', async (t) => {
  t.equal(read(envelopeWith()), toHex(sha256(nonce, serialized)));
  checkUnendorsedContent(envelopeWith());
});

t.test('P1 P4 a client orders no configuration, alone or beside transactions', async (t) => {
  for (const type of [headerTypes.config, headerTypes.configUpdate]) {
    t.throws(() => read(envelopeWith({ channelHeader: { type } })), invalid);
  }
});

t.test('P6 a signature with high s is refused before it is ordered', async (t) => {
  t.throws(() => read(envelopeWith({ signature: mirrored })), forged);
});

const swapped = (envelope: Uint8Array) => {
  const { payload, signature } = Envelope.decode(envelope);
  return Uint8Array.of(...Envelope.encode({ signature }), ...Envelope.encode({ payload }));
};

t.test('P7 an envelope that is not canonical is refused', async (t) => {
  const envelopes: Readonly<Record<string, Uint8Array>> = {
    'fields swapped': swapped(envelopeWith()),
    'a field nobody declared': Uint8Array.of(...envelopeWith(), 0x78, 1),
    'bytes behind': Uint8Array.of(...envelopeWith(), 0),
    'a field twice': Uint8Array.of(...envelopeWith(), 0x12, 0),
    'no signature': envelopeWith({ signature: () => emptyBytes }),
    'no payload': sealed(emptyBytes),
    'a field nobody declared inside': envelopeWith({
      payload: (payload) => Uint8Array.of(...payload, 0x78, 1),
    }),
    nothing: emptyBytes,
  };
  for (const [what, envelope] of Object.entries(envelopes)) {
    t.throws(() => read(envelope), malformed, what);
  }
});

t.test('P19 a creator whose certificate has run out is refused', async (t) => {
  const later = identity.certificate.notAfter.getTime() + 1;
  t.throws(() => read(envelopeWith(), later), forged);
});

t.test('P26 private data that the zone did not endorse is not ordered', async (t) => {
  const collection = { collectionName: 'c', hashedRwset: emptyBytes, pvtRwsetHash: emptyBytes };
  const collectionHashedRwset: CollectionHashedReadWriteSet[] = [collection];
  t.throws(
    () => checkUnendorsedContent(envelopeWith({ sets: [{ collectionHashedRwset }] })),
    harmful,
  );
});

t.test('namespaces that may fail for different reasons are not ordered', async (t) => {
  const two = envelopeWith({ sets: [{}, { namespace: 'nobody' }] });
  t.throws(() => checkUnendorsedContent(two), harmful);
  const another = envelopeWith({ sets: [{ namespace: '_lifecycle' }] });
  t.throws(() => checkUnendorsedContent(another), harmful);
});

t.test('what a stock peer dies of, or waits for without end, is refused', async (t) => {
  const headers = Payload.decode(Envelope.decode(envelopeWith()).payload);
  const actionOf = (data: Uint8Array) => Transaction.decode(data).actions[0]!;
  const { signatureHeader } = headers.header!;
  const payloadOf = (channelHeader: Uint8Array, other: Uint8Array) =>
    sealed(Payload.encode({ ...headers, header: { channelHeader, signatureHeader: other } }));
  const envelopes: Readonly<Record<string, Uint8Array>> = {
    'a payload that is no message': sealed(garbage),
    'no header': sealed(Payload.encode({ data: headers.data })),
    'a channel header that is no message': payloadOf(garbage, signatureHeader),
    'a signature header that is no message': payloadOf(headers.header!.channelHeader, garbage),
    'data that is no transaction': envelopeWith({ data: () => garbage }),
    'no action': envelopeWith({ data: () => emptyBytes }),
    'two actions': envelopeWith({
      data: (data) => Transaction.encode({ actions: [actionOf(data), actionOf(data)] }),
    }),
    'an action that is no message': envelopeWith({
      data: (data) => Transaction.encode({ actions: [{ ...actionOf(data), payload: garbage }] }),
    }),
    'no endorsed action': envelopeWith({
      data: (data) => Transaction.encode({ actions: [{ ...actionOf(data), payload: emptyBytes }] }),
    }),
    'an action under another header': envelopeWith({
      data: (data) => {
        const header = SignatureHeader.encode({ creator: utf8('x'), nonce });
        return Transaction.encode({ actions: [{ ...actionOf(data), header }] });
      },
    }),
  };
  for (const [what, envelope] of Object.entries(envelopes)) {
    t.throws(() => read(envelope), malformed, what);
  }
});

t.test('a transaction of another channel, or of none, is refused', async (t) => {
  for (const channelId of ['', 'other']) {
    const envelope = envelopeWith({ channelHeader: { channelId } });
    t.throws(() => read(envelope), { code: 'MANAGER_CHANNEL_UNKNOWN' }, `"${channelId}"`);
  }
});

t.test('what the zone did not endorse must be read by all peers to the end', async (t) => {
  const unreadable = envelopeWith({ action: { results: garbage } });
  t.throws(() => checkUnendorsedContent(unreadable), malformed);
  const set = envelopeWith({ sets: [{ rwset: garbage }] });
  t.throws(() => checkUnendorsedContent(set), malformed);
});
