import t from 'tap';
import { emptyBytes } from '#base';
import { SignaturePolicyEnvelope, validationCodes } from '#formats';
import type { Block } from '#formats';
import { createValidator, parsePolicyText, validateTransaction } from '#policy';
import { endorsementDefects } from './defects.ts';
import { configOf, editMsp, groupAt } from './test-channel.ts';
import { lookupsOf, transactionOf, write } from './test-transaction.ts';
import type { Signer, TransactionParts } from './test-transaction.ts';
import {
  codeOf,
  config,
  endorsers,
  garbage,
  good,
  lookups,
  orgs,
  spec,
  twoOfThree,
  zone,
} from './test-validation.ts';

for (const [name, defect, parts] of endorsementDefects) {
  t.test(`002-16 ${defect} is ${name}`, async (t) => {
    t.equal(codeOf(parts), name);
  });
}

t.test('spare and bad endorsements do no harm', async (t) => {
  const bad = { endorser: garbage, signature: garbage };
  t.equal(codeOf({ endorsements: (made) => [bad, ...made, made[0]!, bad] }), 'VALID');
});

t.test('a revoked creator is refused, a revoked endorser does not count', async (t) => {
  const [org1] = orgs;
  const [zoneCrl, orgCrl] = [await zone.ca.crl(zone.client), await org1!.ca.crl(org1!.peer)];
  const edited = (path: string, crl: Uint8Array) =>
    configOf(spec, (channel) =>
      editMsp(groupAt(channel, path), (fields) => {
        fields.revocationList = [crl];
      }),
    );
  const bytes = transactionOf({ ...good, endorsers: endorsers.slice(0, 2) });
  const without = (path: string, crl: Uint8Array) =>
    validateTransaction(edited(path, crl), bytes, lookups).code;
  t.equal(without('Orderer/Zone', zoneCrl), validationCodes.BAD_CREATOR_SIGNATURE);
  t.equal(without('Application/Org1', orgCrl), validationCodes.ENDORSEMENT_POLICY_FAILURE);
});

t.test('every namespace that is written to has its own policy', async (t) => {
  const ledger = lookupsOf({ notary: twoOfThree, strict: "AND('Org1MSP.peer', 'Org3MSP.peer')" });
  const namespaces = [
    { namespace: 'notary', writes: [write('key')] },
    { namespace: 'strict', writes: [write('key')] },
  ];
  t.equal(codeOf({ namespaces }, ledger), 'VALID');
  const two = endorsers.slice(0, 2);
  t.equal(codeOf({ namespaces, endorsers: two }, ledger), 'ENDORSEMENT_POLICY_FAILURE');
  const reading = [namespaces[0]!, { namespace: 'strict' }];
  t.equal(codeOf({ namespaces: reading, endorsers: two }, ledger), 'VALID');
});

t.test('the lifecycle has the policy of the channel, whatever the ledger says', async (t) => {
  const parts = { contract: '_lifecycle' };
  const none = lookupsOf({});
  t.equal(codeOf({ ...parts, endorsers: endorsers.slice(0, 2) }, none), 'VALID');
  const short = { ...parts, endorsers: endorsers.slice(0, 1) };
  t.equal(codeOf(short, none), 'ENDORSEMENT_POLICY_FAILURE');
});

t.test('a channel without a lifecycle policy asks a majority of members', async (t) => {
  const after = configOf(spec, (channel) => {
    groupAt(channel, 'Application').policies.delete('LifecycleEndorsement');
  });
  const clients = orgs.map(({ mspid, client }) => ({ mspid, identity: client }));
  const codeWith = (signers: readonly Signer[]) => {
    const bytes = transactionOf({ ...good, contract: '_lifecycle', endorsers: signers });
    return validateTransaction(after, bytes, lookups).code;
  };
  t.equal(codeWith(clients.slice(1)), validationCodes.VALID);
  t.equal(codeWith(clients.slice(2)), validationCodes.ENDORSEMENT_POLICY_FAILURE);
});

const onlyOrg3 = SignaturePolicyEnvelope.encode(parsePolicyText("OR('Org3MSP.peer')"));

t.test("a key's own policy stands in for the contract's", async (t) => {
  const ledger = lookupsOf(
    { notary: twoOfThree },
    {
      keyPolicy: (namespace, key) =>
        namespace === 'notary' && key === 'own' ? onlyOrg3 : undefined,
    },
  );
  const writing = (...keys: string[]) => [{ namespace: 'notary', writes: keys.map(write) }];
  const [first, second, third] = endorsers as [Signer, Signer, Signer];
  const code = (keys: string[], signers: Signer[]) =>
    codeOf({ namespaces: writing(...keys), endorsers: signers }, ledger);
  t.equal(code(['own'], [third]), 'VALID');
  t.equal(code(['own'], [first, second]), 'ENDORSEMENT_POLICY_FAILURE');
  t.equal(code(['own', 'other'], [third]), 'ENDORSEMENT_POLICY_FAILURE');
  t.equal(code(['own', 'other'], [first, third]), 'VALID');
  const metadata = [{ namespace: 'notary', metadataWrites: [{ key: 'own', entries: [] }] }];
  t.equal(codeOf({ namespaces: metadata, endorsers: [third] }, ledger), 'VALID');
  const both = codeOf({ namespaces: metadata, endorsers: [first, second] }, ledger);
  t.equal(both, 'ENDORSEMENT_POLICY_FAILURE');
});

t.test("a key's policy that cannot be read stops all", async (t) => {
  const ledger = lookupsOf({ notary: twoOfThree }, { keyPolicy: () => garbage });
  t.throws(() => codeOf({}, ledger), { code: 'POLICY_KEY_POLICY_INVALID' });
});

t.test('a key whose policy was set earlier in the block cannot be written to', async (t) => {
  const restricting = (parts: Partial<TransactionParts>) =>
    transactionOf({
      ...good,
      namespaces: [{ namespace: 'notary', metadataWrites: [{ key: 'own', entries: [] }] }],
      ...parts,
    });
  const writing = (key: string) =>
    transactionOf({ ...good, namespaces: [{ namespace: 'notary', writes: [write(key)] }] });
  const validate = createValidator();
  const codes = (...data: Uint8Array[]) => {
    const block: Block = { header: undefined, data: { data }, metadata: undefined };
    return validate(block, config, lookups).map(({ code }) => code);
  };
  const { VALID, ENDORSEMENT_POLICY_FAILURE, BAD_CREATOR_SIGNATURE } = validationCodes;
  t.strictSame(codes(writing('own'), restricting({}), writing('own'), writing('other')), [
    VALID,
    VALID,
    ENDORSEMENT_POLICY_FAILURE,
    VALID,
  ]);
  // Only a transaction whose endorsements held has changed anything.
  t.strictSame(codes(restricting({ endorsers: [] }), writing('own')), [
    ENDORSEMENT_POLICY_FAILURE,
    VALID,
  ]);
  const unsigned = restricting({ envelope: () => ({ signature: emptyBytes }) });
  t.strictSame(codes(unsigned, writing('own')), [BAD_CREATOR_SIGNATURE, VALID]);
  // Nothing is carried over to the next block.
  t.strictSame(codes(writing('own')), [VALID]);
});
