import t from 'tap';
import { Fault, concatBytes, textOf } from '#base';
import { derToRaw, rawToDer } from '#crypto';
import { ChaincodeProposalPayload, Proposal, headerTypes } from '#formats';
import { operationOf, verifyProposal } from '../../endorser/client-proposal.ts';
import type { ProposalContext } from '../../endorser/client-proposal.ts';
import { SeededRandom } from '../formats/random.ts';
import { testNetwork } from '../policy/test-channel.ts';
import { proposalOf } from '../support/signed-proposals.ts';
import type { MadeProposal, ProposalChanges } from '../support/signed-proposals.ts';
import { TestChain } from '../support/test-chain.ts';
import { madeMs } from '../support/test-transactions.ts';

const network = await testNetwork(2);
const { config } = new TestChain(network);
const org = network.orgs[0]!;
const minuteMs = 60_000;

function verify(made: MadeProposal, changes: Partial<ProposalContext> = {}) {
  const { proposalBytes: proposal, signature } = made;
  const task = { proposal, signature, targetNodes: [], evaluateOnly: false, attachments: [] };
  const clock = { nowMs: () => madeMs };
  return verifyProposal(task, { config, clock, hasTransaction: () => false, ...changes });
}

t.test('a proposal of a client of the channel is accepted as it was signed', async (t) => {
  const made = proposalOf(org, { args: ['create', 'a', 'ä'], transient: { price: '7' } });
  const verified = verify(made);
  t.equal(verified.txId, made.txId);
  t.equal(verified.identity.mspid, 'Org1MSP');
  t.equal(verified.timeMs, BigInt(madeMs));
  t.same(operationOf(verified), { function: 'create', args: ['a', 'ä'] });
});

t.test('transient data reaches the contract and not the transaction', async (t) => {
  const made = proposalOf(org, { transient: { price: 'seven' } });
  const verified = verify(made);
  t.equal(textOf(verified.transient.get('price')!), 'seven');
  const { transientMap } = ChaincodeProposalPayload.decodeCanonical(verified.proposalPayload);
  t.same(transientMap, []);
  t.notOk(Buffer.from(verified.proposalPayload).includes('seven'));
  const signed = Proposal.decode(made.proposalBytes).payload;
  t.ok(Buffer.from(signed).includes('seven'), 'the client did send it');
});

const refusals: [what: string, changes: ProposalChanges, code: string, detail?: string][] = [
  [
    'another channel',
    { channelHeader: { channelId: 'other' } },
    'ENDORSER_PROPOSAL_INVALID',
    'channel',
  ],
  [
    'another type',
    { channelHeader: { type: headerTypes.config } },
    'ENDORSER_PROPOSAL_INVALID',
    'header type',
  ],
  ['an epoch', { channelHeader: { epoch: 1n } }, 'ENDORSER_PROPOSAL_INVALID', 'epoch'],
  [
    'no nonce',
    { signatureHeader: { nonce: new Uint8Array(0) } },
    'ENDORSER_PROPOSAL_INVALID',
    'nonce',
  ],
  [
    'no creator',
    { signatureHeader: { creator: new Uint8Array(0) } },
    'ENDORSER_PROPOSAL_INVALID',
    'creator',
  ],
  [
    'an id of another transaction',
    { channelHeader: { txId: '00'.repeat(32) } },
    'ENDORSER_PROPOSAL_INVALID',
    'transaction id',
  ],
  [
    'no time',
    { channelHeader: { timestamp: undefined } },
    'ENDORSER_PROPOSAL_INVALID',
    'timestamp',
  ],
  ['no contract', { contract: '' }, 'ENDORSER_PROPOSAL_INVALID', 'contract name'],
  [
    'one contract in front of another',
    { calledContract: 'other' },
    'ENDORSER_PROPOSAL_INVALID',
    'contract name',
  ],
  ['a time of long ago', { timeMs: madeMs - 16 * minuteMs }, 'ENDORSER_PROPOSAL_UNTIMELY'],
  ['a time to come', { timeMs: madeMs + 16 * minuteMs }, 'ENDORSER_PROPOSAL_UNTIMELY'],
  [
    'a creator of no organisation',
    { signatureHeader: { creator: org.client.serialized('StrangerMSP') } },
    'POLICY_MSP_UNKNOWN',
  ],
  [
    'a creator whose certificate another organisation issued',
    { signatureHeader: { creator: org.client.serialized('Org2MSP') } },
    'POLICY_IDENTITY_INVALID',
  ],
  [
    'a signature by another key',
    { sign: (bytes) => network.orgs[1]!.client.sign(bytes) },
    'ENDORSER_SIGNATURE_BAD',
  ],
  [
    'a signature over other bytes',
    { sign: (bytes) => org.client.sign(concatBytes(bytes, bytes)) },
    'ENDORSER_SIGNATURE_BAD',
  ],
  ['no signature', { sign: () => new Uint8Array(0) }, 'ENDORSER_SIGNATURE_BAD'],
];

for (const [what, changes, code, detail] of refusals) {
  t.test(`a proposal with ${what} is refused`, async (t) => {
    const expected = detail === undefined ? { code } : { code, detail: { what: detail } };
    t.throws(() => verify(proposalOf(org, changes)), expected);
  });
}

t.test('a high s is refused, because peers refuse it', async (t) => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const high = (der: Uint8Array) => {
    const raw = derToRaw(der, 32);
    const s = order - BigInt(`0x${Buffer.from(raw.subarray(32)).toString('hex')}`);
    raw.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32);
    return rawToDer(raw);
  };
  const made = proposalOf(org, { sign: (bytes) => high(org.client.sign(bytes)) });
  t.throws(() => verify(made), { code: 'ENDORSER_SIGNATURE_BAD' });
});

t.test('times up to a quarter of an hour away are taken', async (t) => {
  verify(proposalOf(org, { timeMs: madeMs - 15 * minuteMs }));
  verify(proposalOf(org, { timeMs: madeMs + 15 * minuteMs }));
  t.end();
});

t.test('a client whose certificate has expired is refused', async (t) => {
  const client = await org.ca.issue('late', {
    units: ['client'],
    notAfter: new Date(madeMs - minuteMs),
  });
  t.throws(() => verify(proposalOf({ client, mspid: org.mspid })), {
    code: 'ENDORSER_CLIENT_EXPIRED',
  });
});

t.test('a transaction that is on the ledger is not proposed again', async (t) => {
  const made = proposalOf(org);
  t.throws(() => verify(made, { hasTransaction: (txId) => txId === made.txId }), {
    code: 'ENDORSER_TRANSACTION_KNOWN',
    kind: 'conflict',
  });
  t.equal(
    verify(proposalOf(org), { hasTransaction: (txId) => txId === made.txId }).contract,
    'notary',
  );
});

t.test('a member of the channel who is no writer of its applications is refused', async (t) => {
  t.throws(() => verify(proposalOf(network.zone)), { code: 'ENDORSER_WRITER_DENIED' });
});

t.test('an argument that is not UTF-8 is refused, also the function’s name', async (t) => {
  for (const args of [
    [Uint8Array.of(0xff), 'a'],
    ['read', Uint8Array.of(0xc3)],
  ]) {
    t.throws(() => operationOf(verify(proposalOf(org, { args }))), {
      code: 'ENDORSER_ARGUMENT_INVALID',
    });
  }
});

t.test('a header that peers could read in two ways is refused', async (t) => {
  // The field of an unknown number behind a whole message: Go keeps it, others drop it.
  const made = proposalOf(org, {
    extension: Uint8Array.of(
      0x12,
      0x08,
      0x12,
      0x06,
      0x6e,
      0x6f,
      0x74,
      0x61,
      0x72,
      0x79,
      0x78,
      0x01,
    ),
  });
  t.throws(() => verify(made), { code: 'FORMATS_PROTOBUF_NOT_CANONICAL' });
});

t.test('mutated proposals, rightly signed, are accepted or refused with a fault', async (t) => {
  const random = new SeededRandom(20261121);
  let refused = 0;
  const rounds = 1_500;
  for (let round = 0; round < rounds; round += 1) {
    try {
      operationOf(verify(proposalOf(org, { bytes: (bytes) => random.mutate(bytes) })));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refused += 1;
    }
  }
  t.ok(refused > rounds / 2 && refused < rounds, `${refused} of ${rounds} refused`);
});
