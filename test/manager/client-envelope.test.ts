import t from 'tap';
import { Fault, concatBytes, emptyBytes, utf8 } from '#base';
import {
  ChaincodeActionPayload,
  ChaincodeProposalPayload,
  ChannelHeader,
  Envelope,
  Payload,
  SignatureHeader,
  Transaction,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  bundleFunction,
  encodeRwSet,
  headerTypes,
} from '#formats';
import type { Endorsement, Header, NamespaceRwSet } from '#formats';
import { checkUnendorsedContent, readClientEnvelope } from '../../manager/client-envelope.ts';
import type { EnvelopeContext } from '../../manager/client-envelope.ts';
import { SeededRandom } from '../formats/random.ts';
import { channelId, testNetwork } from '../policy/test-channel.ts';
import type { TestOrg } from '../policy/test-channel.ts';
import { TestChain } from '../support/test-chain.ts';
import { madeMs } from '../support/test-transactions.ts';

const network = await testNetwork(2);
const { config } = new TestChain(network);
const org = network.orgs[0]!;
const nodes = network.orgs.map(({ mspid, peer }) => peer.serialized(mspid));
const unknownField = Uint8Array.of(0x78, 0x01);

interface Changes {
  creator?: TestOrg;
  channel?: string;
  args?: readonly string[];
  rwset?: Partial<NamespaceRwSet>[];
  endorsers?: readonly Uint8Array[];
  channelHeader?: (header: ChannelHeader) => ChannelHeader;
  /** Changes layers after they were made; the signature is over what comes out. */
  payload?: (payload: Payload) => Partial<Payload>;
  signature?: (payload: Uint8Array) => Uint8Array;
}

/** A client's signed transaction. */
function envelopeOf(changes: Changes = {}): Uint8Array {
  const { creator = org, args = ['create', 'a'], channel = channelId } = changes;
  const proposal = buildProposal({
    channel,
    contract: 'notary',
    args: args.map(utf8),
    creator: creator.client.serialized(creator.mspid),
    nonce: utf8('nonce of 24 bytes length'),
    timeMs: madeMs,
  });
  if (changes.channelHeader !== undefined) {
    const header = changes.channelHeader(ChannelHeader.decode(proposal.channelHeader));
    proposal.channelHeader = ChannelHeader.encode(header);
  }
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    results: encodeRwSet({ namespaces: (changes.rwset ?? [{}]).map(namespaceOf) }),
    response: { status: 200, message: '', payload: utf8('done') },
    chaincodeId: { path: '', name: 'notary', version: '1.0' },
  });
  const endorsements = (changes.endorsers ?? nodes).map((endorser): Endorsement => ({
    endorser,
    signature: utf8('validation looks at it'),
  }));
  const made = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
  const payload =
    changes.payload === undefined ? made : Payload.encode(changes.payload(Payload.decode(made)));
  const sign = changes.signature ?? ((bytes: Uint8Array) => creator.client.sign(bytes));
  return Envelope.encode({ payload, signature: sign(payload) });
}

function namespaceOf(changes: Partial<NamespaceRwSet>): NamespaceRwSet {
  const writes = [{ key: 'a', isDelete: false, value: utf8('1') }];
  const empty = { reads: [], rangeQueries: [], metadataWrites: [] };
  return { namespace: 'notary', writes, ...empty, ...changes };
}

function read(envelope: Uint8Array, changes: Partial<EnvelopeContext> = {}): string {
  return readClientEnvelope(envelope, {
    config,
    nowMs: madeMs,
    isNode: (serialized) => nodes.some((node) => Buffer.compare(node, serialized) === 0),
    ...changes,
  });
}

/** Changes the one action of a transaction. */
function action(
  change: (payload: ChaincodeActionPayload, header: Header) => Partial<ChaincodeActionPayload>,
) {
  return (payload: Payload): Partial<Payload> => {
    const [first] = Transaction.decode(payload.data).actions;
    const made = change(ChaincodeActionPayload.decode(first!.payload), payload.header!);
    const changed = { ...first!, payload: ChaincodeActionPayload.encode(made) };
    return { ...payload, data: Transaction.encode({ actions: [changed] }) };
  };
}

t.test('a transaction as the gateway prepares it is taken under its own id', async (t) => {
  const envelope = envelopeOf();
  const { header } = Payload.decode(Envelope.decode(envelope).payload);
  t.equal(read(envelope), ChannelHeader.decode(header!.channelHeader).txId);
});

const malformed = 'MANAGER_ENVELOPE_MALFORMED';
const invalid = 'MANAGER_ENVELOPE_INVALID';
const refusals: [what: string, changes: Changes, code: string][] = [
  ['of another channel', { channel: 'other' }, 'MANAGER_CHANNEL_UNKNOWN'],
  [
    'that is a configuration',
    { channelHeader: (header) => ({ ...header, type: headerTypes.config }) },
    invalid,
  ],
  ['with an epoch', { channelHeader: (header) => ({ ...header, epoch: 1n }) }, invalid],
  [
    'under another transaction’s id',
    { channelHeader: (header) => ({ ...header, txId: '00'.repeat(32) }) },
    invalid,
  ],
  ['without header', { payload: ({ data }) => ({ data }) }, malformed],
  ['without signature', { signature: () => emptyBytes }, malformed],
  ['without actions', { payload: ({ header }) => ({ header, data: emptyBytes }) }, malformed],
  [
    'with two actions',
    {
      payload: ({ header, data }) => {
        const [first] = Transaction.decode(data).actions;
        return { header, data: Transaction.encode({ actions: [first!, first!] }) };
      },
    },
    malformed,
  ],
  [
    'whose action has another header',
    {
      payload: ({ header, data }) => {
        const [first] = Transaction.decode(data).actions;
        const other = SignatureHeader.encode({ creator: utf8('x'), nonce: utf8('y') });
        return { header, data: Transaction.encode({ actions: [{ ...first!, header: other }] }) };
      },
    },
    malformed,
  ],
  [
    'without endorsed action',
    { payload: action(({ chaincodeProposalPayload }) => ({ chaincodeProposalPayload })) },
    malformed,
  ],
  [
    'without proposal response',
    {
      payload: action((made) => ({
        ...made,
        action: { ...made.action!, proposalResponsePayload: emptyBytes },
      })),
    },
    malformed,
  ],
  [
    'that carries transient data',
    {
      payload: action((made) => {
        const payload = ChaincodeProposalPayload.decode(made.chaincodeProposalPayload);
        const transientMap = [{ key: 'price', value: utf8('7') }];
        const chaincodeProposalPayload = ChaincodeProposalPayload.encode({
          ...payload,
          transientMap,
        });
        return { ...made, chaincodeProposalPayload };
      }),
    },
    malformed,
  ],
  [
    'whose response is to another proposal',
    {
      payload: action((made) => {
        const input = utf8('another invocation');
        return { ...made, chaincodeProposalPayload: ChaincodeProposalPayload.encode({ input }) };
      }),
    },
    malformed,
  ],
  [
    'with an unknown field behind its transaction',
    { payload: (payload) => ({ ...payload, data: concatBytes(payload.data, unknownField) }) },
    malformed,
  ],
  ['that nobody endorsed', { endorsers: [] }, invalid],
  [
    'that a key outside of the zone endorsed',
    { endorsers: [...nodes, org.admin.serialized(org.mspid)] },
    'MANAGER_ENVELOPE_HARMFUL',
  ],
  ['that calls itself a bundle', { args: [bundleFunction, 'x'] }, 'MANAGER_ENVELOPE_FORGED'],
  [
    'signed by another than its creator',
    { signature: (bytes) => network.orgs[1]!.client.sign(bytes) },
    'MANAGER_ENVELOPE_FORGED',
  ],
  [
    'whose creator is of no organisation',
    { creator: { ...org, mspid: 'StrangerMSP' } },
    'MANAGER_ENVELOPE_FORGED',
  ],
];

for (const [what, changes, code] of refusals) {
  t.test(`a transaction ${what} is not ordered`, async (t) => {
    t.throws(() => read(envelopeOf(changes)), { code });
  });
}

t.test('a creator whose certificate has expired meanwhile is refused', async (t) => {
  const { notAfter } = org.client.certificate;
  t.throws(() => read(envelopeOf(), { nowMs: notAfter.getTime() + 1 }), {
    code: 'MANAGER_ENVELOPE_FORGED',
  });
});

t.test('bytes behind an envelope are refused, for peers refuse the whole block', async (t) => {
  t.throws(() => read(concatBytes(envelopeOf(), unknownField)), { code: malformed });
});

t.test('without enough endorsements only one namespace may be written to', async (t) => {
  checkUnendorsedContent(envelopeOf());
  const harmful = { code: 'MANAGER_ENVELOPE_HARMFUL' };
  const two = envelopeOf({ rwset: [{}, { namespace: 'other' }] });
  t.throws(() => checkUnendorsedContent(two), harmful);
  const other = envelopeOf({ rwset: [{ namespace: '_lifecycle' }] });
  t.throws(() => checkUnendorsedContent(other), harmful);
  const collections = [{ collectionName: 'c', hashedRwset: emptyBytes, pvtRwsetHash: utf8('h') }];
  t.throws(() => checkUnendorsedContent(envelopeOf({ rwset: [{ collections }] })), harmful);
});

t.test('mutated transactions, rightly signed, are taken or refused with a fault', async (t) => {
  const random = new SeededRandom(20261122);
  const rounds = 1_500;
  let refused = 0;
  const good = Envelope.decode(envelopeOf()).payload;
  for (let round = 0; round < rounds; round += 1) {
    const payload = random.mutate(good);
    const envelope = Envelope.encode({ payload, signature: org.client.sign(payload) });
    try {
      read(envelope);
      checkUnendorsedContent(envelope);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refused += 1;
    }
  }
  t.ok(refused > rounds / 2, `${refused} of ${rounds} refused`);
});
