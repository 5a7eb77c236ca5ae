import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import { QueryChaincodeDefinitionArgs, parseContractPackage } from '#formats';
import { builtInContract } from '#wasm';
import { fuzz } from '../crypto/fuzzing.ts';
import { contractPackage } from '../support/contract-package.ts';
import { answerLifecycleCall } from '../../endorser/lifecycle-calls.ts';
import { LifecycleLedger, approveArgs, definitionArgs } from './lifecycle-state.ts';

const notary = contractPackage(await builtInContract('notary'));
const { packageId } = parseContractPackage(notary);

function approvedLedger(): LifecycleLedger {
  const ledger = new LifecycleLedger();
  ledger.simulate((operations) => operations.createKeys());
  ledger.call('ApproveChaincodeDefinitionForMyOrg', approveArgs(packageId), {
    mspid: 'Org1MSP',
    endorsers: ['Org1MSP'],
    packages: [notary],
  });
  return ledger;
}

t.test('calls of another form have Fabric’s answers', async (t) => {
  const ledger = approvedLedger();
  const caller = { mspid: 'Org1MSP', isAdmin: true, endorsers: [], packages: [] };
  const sentence = (args: Uint8Array[]) =>
    ledger.simulate((operations) => answerLifecycleCall(operations, { ...caller, args }));
  t.match(sentence([]), { status: 500, message: 'lifecycle scc must be invoked with arguments' });
  t.match(sentence([utf8('x')]), {
    message: 'lifecycle scc operations require exactly two arguments but received 1',
  });
  t.match(ledger.call('Deploy', emptyBytes), {
    status: 500,
    message: /failed ACL check: Unmapped policy for _lifecycle\/Deploy$/,
  });
  t.match(ledger.call('CommitChaincodeDefinition', utf8('junk')), { status: 500 });
});

t.test('mutated calls are answered, never anything else', async (t) => {
  const ledger = approvedLedger();
  for (const [name, message] of [
    ['ApproveChaincodeDefinitionForMyOrg', approveArgs(packageId, { version: '2' })],
    ['CheckCommitReadiness', definitionArgs()],
    ['QueryChaincodeDefinition', QueryChaincodeDefinitionArgs.encode({ name: 'notary' })],
  ] as const) {
    const { escaped } = fuzz((bytes) => ledger.call(name, bytes), message, {
      seed: 20261121,
      rounds: 300,
    });
    t.strictSame(escaped, [], name);
  }
});
