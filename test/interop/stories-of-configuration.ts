/** What the same transactions are worth under another configuration. */
import { editMsp, groupAt, signaturePolicy } from '../policy/test-channel.ts';
import type { Signer } from '../policy/test-transaction.ts';
import { endorsers, orgs } from '../policy/test-validation.ts';
import type { Story } from './stories-of-state.ts';

const [first, second, third] = endorsers as [Signer, Signer, Signer];
const org3 = orgs[2]!;
const client: Signer = { mspid: org3.mspid, identity: org3.client };
const admins = orgs.map(({ mspid, admin }): Signer => ({ mspid, identity: admin }));
const revocation = await org3.ca.crl(org3.peer, org3.client);

/** Told last: nothing before them may hang on what they take away. */
export const configurationStories: Readonly<Record<string, Story>> = {
  'a revoked certificate neither endorses nor sends from the next block on': (chain) => {
    const by = (...signers: Signer[]) => chain.transaction({ endorsers: signers });
    const sent = () => chain.transaction({ creator: client, endorsers: [first, second] });
    chain.add(['VALID', by(first, third)], ['VALID', sent()]);
    chain.configure(
      (channel) =>
        editMsp(groupAt(channel, 'Application/Org3'), (msp) => msp.revocationList.push(revocation)),
      admins.slice(2),
    );
    chain.add(
      ['ENDORSEMENT_POLICY_FAILURE', by(first, third)],
      ['VALID', by(first, second)],
      ['VALID', by(third, first, second)],
      ['BAD_CREATOR_SIGNATURE', sent()],
    );
  },

  'a policy of the channel that changes is another one for the contracts that name it': (chain) => {
    const by = (...signers: Signer[]) =>
      chain.transaction({ contract: 'referring', endorsers: signers });
    chain.add(['ENDORSEMENT_POLICY_FAILURE', by(first)]);
    chain.configure((channel) => {
      groupAt(channel, 'Application').policies.get('Endorsement')!.policy =
        signaturePolicy("OR('Org1MSP.peer')");
    }, admins);
    chain.add(['VALID', by(first)], ['ENDORSEMENT_POLICY_FAILURE', by(second)]);
  },

  'an organisation that left is nobody any more': (chain) => {
    chain.configure(
      (channel) => void groupAt(channel, 'Application').groups.delete('Org2'),
      admins,
    );
    // One endorsement of those that are left is all there can be, so no usual transaction stands in front.
    chain.append(
      ['VALID', chain.transaction({ contract: 'referring', endorsers: [first] })],
      ['ENDORSEMENT_POLICY_FAILURE', chain.transaction({ endorsers: [first, second] })],
    );
  },
};
