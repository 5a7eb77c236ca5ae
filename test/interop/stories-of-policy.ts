/** Whose endorsements a write needs, as definitions and keys change it. */
import { SignaturePolicyEnvelope, lifecycleKeys, lifecycleNamespace } from '#formats';
import type { NamespaceRwSet } from '#formats';
import { parsePolicyText } from '#policy';
import { write } from '../policy/test-transaction.ts';
import type { Signer } from '../policy/test-transaction.ts';
import { creator, endorsers, garbage, twoOfThree, zone } from '../policy/test-validation.ts';
import { read } from './hostile-chain.ts';
import type { Story } from './stories-of-state.ts';

const [first, second, third] = endorsers as [Signer, Signer, Signer];

export const contractStories: Readonly<Record<string, Story>> = {
  'every namespace written to asks for its own policy': (chain) => {
    const both = [
      { namespace: 'notary', writes: [write('both')] },
      { namespace: 'strict', writes: [write('both')] },
    ];
    const by = (...signers: Signer[]) =>
      chain.transaction({ namespaces: both, endorsers: signers });
    chain.add(
      ['VALID', by(first, third)],
      ['ENDORSEMENT_POLICY_FAILURE', by(first, second)],
      ['ENDORSEMENT_POLICY_FAILURE', by(third)],
    );
  },

  'the contract that is called asks, also when it writes nothing': (chain) => {
    const of = (...signers: Signer[]) =>
      chain.transaction({
        contract: 'strict',
        namespaces: [{ namespace: 'open', writes: [write('aside')] }],
        endorsers: signers,
      });
    chain.add(['ENDORSEMENT_POLICY_FAILURE', of(second)], ['VALID', of(third, first)]);
  },

  'a namespace that is read only asks for nothing': (chain) => {
    const namespaces = [{ namespace: 'strict', reads: [read('nothing there')] }];
    chain.add(['VALID', chain.transaction({ contract: 'open', namespaces, endorsers: [second] })]);
  },

  'no namespace is defined without a name': (chain) => {
    const namespaces = [{ namespace: '', writes: [write('nowhere')] }];
    chain.add(['INVALID_CHAINCODE', chain.transaction({ namespaces })]);
  },

  'a definition is in force from the next block on': (chain) => {
    chain.add(['VALID', chain.definition('moving', "OR('Org1MSP.peer')")]);
    const call = (contract: string, signer: Signer) =>
      chain.transaction({ contract, endorsers: [signer] });
    const by = (signer: Signer) => call('moving', signer);
    chain.add(
      ['ENDORSEMENT_POLICY_FAILURE', by(second)],
      ['VALID', chain.definition('moving', "OR('Org2MSP.peer')", 2n)],
      ['VALID', by(first)],
      ['ENDORSEMENT_POLICY_FAILURE', by(second)],
      ['INVALID_CHAINCODE', call('sudden', first)],
      ['VALID', chain.definition('sudden', "OR('Org1MSP.peer')")],
      ['INVALID_CHAINCODE', call('sudden', first)],
    );
    chain.add(
      ['VALID', by(second)],
      ['ENDORSEMENT_POLICY_FAILURE', by(first)],
      ['VALID', call('sudden', first)],
    );
  },

  'the lifecycle asks a majority, whoever calls it': (chain) => {
    const namespaces = [{ namespace: lifecycleNamespace, writes: [write('aside/key')] }];
    const by = (...signers: Signer[]) =>
      chain.transaction({ namespaces, endorsers: signers, contract: 'open' });
    chain.add(['ENDORSEMENT_POLICY_FAILURE', by(first)], ['VALID', by(second, third)]);
  },

  'a policy may name a policy of the channel': (chain) => {
    const by = (...signers: Signer[]) =>
      chain.transaction({ contract: 'referring', endorsers: signers });
    chain.add(['ENDORSEMENT_POLICY_FAILURE', by(first)], ['VALID', by(first, second)]);
  },

  'bad endorsements beside enough good ones do no harm': (chain) => {
    const bad = { endorser: garbage, signature: garbage };
    const stranger: Signer = { mspid: 'Org9MSP', identity: zone.client };
    chain.add(
      ['VALID', chain.transaction({ endorsements: (made) => [bad, ...made, made[0]!, bad] })],
      ['VALID', chain.transaction({ endorsers: [stranger, creator, first, second] })],
      ['ENDORSEMENT_POLICY_FAILURE', chain.transaction({ endorsers: [stranger, creator, first] })],
    );
  },
};

const policyEntry = (policy: string) => ({
  name: 'VALIDATION_PARAMETER',
  value: SignaturePolicyEnvelope.encode(parsePolicyText(policy)),
});
const onlyThird = policyEntry("OR('Org3MSP.peer')");
const policyOf = (key: string, entries = [onlyThird]) => ({ metadataWrites: [{ key, entries }] });

export const keyStories: Readonly<Record<string, Story>> = {
  "a key's own policy stands in for its contract's": (chain) => {
    const version = chain.seed('own', 'common');
    const writing = (keys: string[], ...signers: Signer[]) =>
      chain.notary({ writes: keys.map(write) }, { endorsers: signers });
    chain.add(
      ['VALID', chain.notary(policyOf('own'))],
      ['ENDORSEMENT_POLICY_FAILURE', writing(['own'], first, second, third)],
      ['VALID', writing(['common'], first, second)],
      // Metadata alone makes a new version of the key.
      ['MVCC_READ_CONFLICT', chain.notary({ reads: [read('own', version)] })],
    );
    chain.add(
      ['ENDORSEMENT_POLICY_FAILURE', writing(['own'], first, second)],
      ['ENDORSEMENT_POLICY_FAILURE', writing(['own', 'common'], third)],
      ['VALID', writing(['own'], third)],
      ['VALID', writing(['own', 'common'], first, third)],
    );
    chain.add(['VALID', chain.notary(policyOf('own', []), { endorsers: [third] })]);
    chain.add(['ENDORSEMENT_POLICY_FAILURE', writing(['own'], third)]);
    chain.add(['VALID', writing(['own'], first, second)]);
  },

  'a policy that was refused restricts nobody': (chain) => {
    chain.seed('unmoved');
    chain.add(
      ['ENDORSEMENT_POLICY_FAILURE', chain.notary(policyOf('unmoved'), { endorsers: [third] })],
      ['VALID', chain.notary({ writes: [write('unmoved')] })],
    );
  },

  'metadata of a key that is not there is lost': (chain) => {
    chain.add(['VALID', chain.notary(policyOf('absent'))]);
    chain.add(
      ['VALID', chain.notary({ reads: [read('absent')] })],
      ['VALID', chain.notary({ writes: [write('absent')] })],
    );
  },

  'value and metadata in one transaction, and neither outlives a deletion': (chain) => {
    const gone = { key: 'kept', isDelete: true, value: new Uint8Array(0) };
    chain.add(['VALID', chain.notary({ writes: [write('kept')], ...policyOf('kept') })]);
    chain.add(['ENDORSEMENT_POLICY_FAILURE', chain.notary({ writes: [gone] }, byTwo)]);
    chain.add(['VALID', chain.notary({ writes: [gone] })]);
    chain.add(['VALID', chain.notary({ writes: [write('kept')] }, byTwo)]);
  },

  'an organisation approves alone, once a majority has made its key': (chain) => {
    const lifecycle = (rwset: Partial<NamespaceRwSet>, ...signers: Signer[]) =>
      chain.transaction({
        contract: lifecycleNamespace,
        namespaces: [{ namespace: lifecycleNamespace, ...rwset }],
        endorsers: signers,
      });
    const mine = lifecycleKeys.approvals('Org1MSP');
    const theirs = lifecycleKeys.approvals('Org2MSP');
    const made = (mspid: string) => {
      const key = lifecycleKeys.approvals(mspid);
      return { key, entries: [policyEntry(`OR('${mspid}.peer')`)] };
    };
    const creation = {
      writes: [mine, theirs].map(write),
      metadataWrites: ['Org1MSP', 'Org2MSP'].map(made),
    };
    chain.add(['ENDORSEMENT_POLICY_FAILURE', lifecycle({ writes: [write(mine)] }, first)]);
    chain.add(
      ['ENDORSEMENT_POLICY_FAILURE', lifecycle(creation, first)],
      ['VALID', lifecycle(creation, first, third)],
      // In the block that makes it the key is nobody's yet.
      ['ENDORSEMENT_POLICY_FAILURE', lifecycle({ writes: [write(mine)] }, first)],
    );
    chain.add(
      ['VALID', lifecycle({ writes: [write(mine)] }, first)],
      ['VALID', lifecycle({ writes: [write(theirs)] }, second)],
      ['ENDORSEMENT_POLICY_FAILURE', lifecycle({ writes: [write(mine)] }, second, third)],
      ['ENDORSEMENT_POLICY_FAILURE', lifecycle({ writes: [mine, theirs].map(write) }, first)],
      ['ENDORSEMENT_POLICY_FAILURE', lifecycle({ writes: [mine, 'aside'].map(write) }, first)],
      ['VALID', lifecycle({ writes: [mine, 'aside'].map(write) }, first, second)],
    );
  },

  'metadata under any other name restricts nobody': (chain) => {
    chain.seed('noted');
    const entries = [{ name: 'REMARK', value: garbage }];
    chain.add(['VALID', chain.notary(policyOf('noted', entries))]);
    chain.add(['VALID', chain.notary({ writes: [write('noted')] }, byTwo)]);
  },
};

const byTwo = { endorsers: [first, second] };

/** What the stories call. */
export const contracts: Readonly<Record<string, string>> = {
  notary: twoOfThree,
  strict: "AND('Org1MSP.peer', 'Org3MSP.peer')",
  open: "OR('Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')",
  referring: '/Channel/Application/Endorsement',
};
