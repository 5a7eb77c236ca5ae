import { randomBytes } from 'node:crypto';
import t from 'tap';
import { utf8 } from '#base';
import {
  Envelope,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  bundleFunction,
} from '#formats';
import { readClientEnvelope } from '../../manager/client-envelope.ts';
import { channelId, makeChannel, makeMember, startMs } from './channel.ts';
import { signatureOf } from './grpc-client.ts';

const channel = await makeChannel();
const client = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const node = await makeMember(channel.authorities.Org1MSP, 'Org1MSP', { unit: 'peer' });
const context = { config: channel.config, nowMs: startMs, isNode: () => true };

/** A transaction of a client's that calls this function. */
function envelopeOf(name: string): { txId: string; envelope: Uint8Array } {
  const proposal = buildProposal({
    channel: channelId,
    contract: 'notary',
    args: [utf8(name), utf8('request')],
    creator: client.serialized,
    nonce: new Uint8Array(randomBytes(24)),
    timeMs: startMs,
  });
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    response: { status: 200, message: '', payload: utf8('') },
    chaincodeId: { path: '', name: 'notary', version: '1' },
  });
  const endorsements = [{ endorser: node.serialized, signature: utf8('signature') }];
  const payload = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements });
  const signature = signatureOf(client, payload);
  return { txId: proposal.txId, envelope: Envelope.encode({ payload, signature }) };
}

t.test('a client cannot have its transaction read as a bundle of requests', async (t) => {
  const plain = envelopeOf('deposit');
  t.equal(readClientEnvelope(plain.envelope, context), plain.txId);
  t.throws(() => readClientEnvelope(envelopeOf(bundleFunction).envelope, context), {
    code: 'MANAGER_ENVELOPE_FORGED',
    detail: { what: 'bundle' },
  });
});
