import t from 'tap';
import { emptyBytes, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  CheckCommitReadinessResult,
  QueryApprovedChaincodeDefinitionArgs,
  QueryApprovedChaincodeDefinitionResult,
  QueryApprovedChaincodeDefinitionsResult,
  QueryChaincodeDefinitionArgs,
  QueryChaincodeDefinitionResult,
  QueryChaincodeDefinitionsResult,
  checkApprovalWrites,
  lifecycleKeys,
  parseContractPackage,
  readDefinition,
} from '#formats';
import { builtInContract } from '#wasm';
import { contractPackage } from '../support/contract-package.ts';
import { LifecycleLedger, approveArgs, definitionArgs, policy } from './lifecycle-state.ts';

const notary = contractPackage(await builtInContract('notary'));
const { packageId, code } = parseContractPackage(notary);
// Another package with the same code, and one with other code.
const renamed = contractPackage(code, { type: 'wasm', label: 'renamed_1' });
const otherCode = Uint8Array.of(...code, 0, 2, 1, 0x78);
const other = contractPackage(otherCode);

function madeLedger(): LifecycleLedger {
  const ledger = new LifecycleLedger();
  ledger.simulate((operations) => operations.createKeys());
  return ledger;
}

function approveAs(ledger: LifecycleLedger, mspid: string, bytes = notary, changes = {}) {
  const id = parseContractPackage(bytes).packageId;
  return ledger.call('ApproveChaincodeDefinitionForMyOrg', approveArgs(id, changes), {
    mspid,
    endorsers: [mspid],
    packages: [bytes],
  });
}

function commitBy(ledger: LifecycleLedger, endorsers: string[], changes = {}) {
  const args = definitionArgs(changes);
  return ledger.call('CommitChaincodeDefinition', args, { endorsers, packages: [notary, other] });
}

function readinessOf(ledger: LifecycleLedger, changes = {}) {
  const { payload } = ledger.call('CheckCommitReadiness', definitionArgs(changes));
  const { approvals, mismatches } = CheckCommitReadinessResult.decode(payload);
  return {
    approvals: Object.fromEntries(approvals.map(({ key, value }) => [key, value])),
    mismatches: Object.fromEntries([...mismatches].map(([key, { items }]) => [key, items])),
  };
}

const failed = (name: string, reason: string) =>
  `failed to invoke backing implementation of '${name}': ${reason}`;

t.test('approvals keys are made once, and again only for who is new', async (t) => {
  const ledger = new LifecycleLedger();
  t.strictSame(ledger.simulate((operations) => operations.createKeys()).length, 3);
  t.equal(ledger.metadata.length, 3);
  t.strictSame(
    ledger.simulate((operations) => operations.createKeys()),
    [],
  );
  ledger.rows.delete(lifecycleKeys.approvals('Org2MSP'));
  t.strictSame(
    ledger.simulate((operations) => operations.createKeys()),
    ['Org2MSP'],
  );
});

t.test('a definition comes in force by a majority of approvals, and not before', async (t) => {
  const ledger = madeLedger();
  t.match(approveAs(ledger, 'Org1MSP'), { status: 200, payload: emptyBytes });
  t.strictSame([...ledger.written.keys()], [lifecycleKeys.approvals('Org1MSP')]);
  checkApprovalWrites(
    {
      reads: [],
      rangeQueriesInfo: [],
      metadataWrites: [],
      writes: [...ledger.written].map(([key, value]) => ({ key, value, isDelete: false })),
    },
    'Org1MSP',
  );
  t.strictSame(readinessOf(ledger), {
    approvals: { Org1MSP: true, Org2MSP: false, Org3MSP: false },
    mismatches: { Org2MSP: ['ChaincodeParameters'], Org3MSP: ['ChaincodeParameters'] },
  });
  t.match(commitBy(ledger, ['Org1MSP', 'Org2MSP']), {
    status: 500,
    message: failed(
      'CommitChaincodeDefinition',
      'chaincode definition not agreed to by this org (Org2MSP)',
    ),
  });
  t.equal(approveAs(ledger, 'Org2MSP').status, 200);
  t.equal(commitBy(ledger, ['Org1MSP', 'Org2MSP']).status, 200);
  const get = (key: string) => ledger.rows.get(key);
  t.match(readDefinition('notary', get), { sequence: 1n, version: '1.0', codeHash: sha256(code) });
  t.strictSame(get(lifecycleKeys.code(sha256(code))), code);
});

t.test('an approval that differs is told apart, and does not count', async (t) => {
  const ledger = madeLedger();
  approveAs(ledger, 'Org1MSP');
  approveAs(ledger, 'Org2MSP', notary, { version: '1.1' });
  t.match(readinessOf(ledger).mismatches, { Org2MSP: ['EndorsementInfo'] });
  approveAs(ledger, 'Org2MSP', notary, { validationParameter: emptyBytes });
  t.match(readinessOf(ledger).mismatches, { Org2MSP: ['ValidationInfo'] });
  t.equal(commitBy(ledger, ['Org2MSP']).status, 500);
  // Another package of the same code is an approval of that code.
  approveAs(ledger, 'Org2MSP', renamed);
  t.match(readinessOf(ledger).approvals, { Org1MSP: true, Org2MSP: true });
  approveAs(ledger, 'Org3MSP', other);
  t.match(readinessOf(ledger), {
    approvals: { Org3MSP: false },
    mismatches: { Org3MSP: ['Code'] },
  });
});

t.test('as many approvals for one code as for another agree on none', async (t) => {
  const ledger = madeLedger();
  approveAs(ledger, 'Org1MSP');
  approveAs(ledger, 'Org2MSP', other);
  t.match(readinessOf(ledger).approvals, { Org1MSP: false, Org2MSP: false });
  t.match(commitBy(ledger, ['Org1MSP']), { status: 500, message: /not agreed to by this org/ });
  approveAs(ledger, 'Org3MSP', other);
  t.match(readinessOf(ledger).approvals, { Org1MSP: false, Org2MSP: true, Org3MSP: true });
  t.equal(commitBy(ledger, ['Org2MSP', 'Org3MSP']).status, 200);
  t.ok(ledger.rows.has(lifecycleKeys.code(sha256(otherCode))));
});

t.test('sequences are Fabric’s, with its sentences', async (t) => {
  const ledger = madeLedger();
  const approve = (sequence: bigint) => approveAs(ledger, 'Org1MSP', notary, { sequence }).message;
  const name = 'ApproveChaincodeDefinitionForMyOrg';
  t.equal(
    approve(0n),
    failed(name, 'requested sequence is 0, but first definable sequence number is 1'),
  );
  t.equal(
    approve(2n),
    failed(name, 'requested sequence 2 is larger than the next available sequence number 1'),
  );
  t.equal(
    approve(-1n),
    failed(name, 'currently defined sequence 0 is larger than requested sequence -1'),
  );
  t.equal(
    commitBy(ledger, [], { sequence: 2n }).message,
    failed(
      'CommitChaincodeDefinition',
      'requested sequence is 2, but new definition must be sequence 1',
    ),
  );
  t.equal(approve(1n), '');
  t.equal(
    approve(1n),
    failed(
      name,
      'attempted to redefine uncommitted sequence (1) for namespace notary with unchanged content',
    ),
  );
});

t.test('the sequence in force may be approved as it is, by who has not', async (t) => {
  const ledger = madeLedger();
  approveAs(ledger, 'Org1MSP');
  approveAs(ledger, 'Org2MSP');
  commitBy(ledger, ['Org1MSP', 'Org2MSP']);
  const redefined =
    /attempted to redefine the current committed sequence \(1\) for namespace notary/;
  t.match(approveAs(ledger, 'Org3MSP', notary, { version: '9' }).message, redefined);
  t.match(approveAs(ledger, 'Org3MSP', other).message, redefined, 'other code');
  t.equal(approveAs(ledger, 'Org3MSP').status, 200);
  t.match(approveAs(ledger, 'Org3MSP').message, redefined);
  const next = { sequence: 2n, version: '2.0' };
  t.equal(approveAs(ledger, 'Org3MSP', other, next).status, 200);
  const committed = QueryChaincodeDefinitionResult.decode(
    ledger.call('QueryChaincodeDefinition', QueryChaincodeDefinitionArgs.encode({ name: 'notary' }))
      .payload,
  );
  t.match(committed, { sequence: 1n, version: '1.0', validationPlugin: 'vscc' });
  t.strictSame(
    committed.approvals.map(({ key, value }) => [key, value]),
    [
      ['Org1MSP', true],
      ['Org2MSP', true],
      ['Org3MSP', true],
    ],
    'the approval of the next sequence stands beside that of the present one',
  );
});

t.test('what an organisation approved can be asked for, by its administrators', async (t) => {
  const ledger = madeLedger();
  approveAs(ledger, 'Org1MSP');
  const asked = (by = {}, sequence = 0n) =>
    ledger.call(
      'QueryApprovedChaincodeDefinition',
      QueryApprovedChaincodeDefinitionArgs.encode({ name: 'notary', sequence }),
      by,
    );
  t.match(QueryApprovedChaincodeDefinitionResult.decode(asked().payload), {
    sequence: 1n,
    version: '1.0',
    validationParameter: policy,
    source: { localPackage: { packageId } },
  });
  t.match(asked({}, 2n).message, /could not fetch approved chaincode definition \(name: 'notary'/);
  t.match(asked({ mspid: 'Org2MSP' }).message, /could not fetch approved chaincode definition/);
  t.match(asked({ isAdmin: false }).message, /^Failed to authorize invocation due to failed ACL/);
  t.match(asked({ endorsers: ['Org2MSP'] }).message, /not an admin under this MSP \[Org2MSP\]/);
  const all = ledger.call('QueryApprovedChaincodeDefinitions', emptyBytes).payload;
  const { approvedChaincodeDefinitions: found } =
    QueryApprovedChaincodeDefinitionsResult.decode(all);
  t.match(found, [{ name: 'notary', sequence: 1n }]);
});

t.test('committed definitions are listed, and one that is not is 404', async (t) => {
  const ledger = madeLedger();
  const list = () =>
    QueryChaincodeDefinitionsResult.decode(
      ledger.call('QueryChaincodeDefinitions', emptyBytes).payload,
    ).chaincodeDefinitions;
  t.strictSame(list(), []);
  t.match(
    ledger.call('QueryChaincodeDefinition', QueryChaincodeDefinitionArgs.encode({ name: 'x' })),
    { status: 404, message: 'namespace x is not defined' },
  );
  for (const name of ['b', 'a']) {
    approveAs(ledger, 'Org1MSP', notary, { name });
    commitBy(ledger, ['Org1MSP'], { name });
  }
  t.match(list(), [{ name: 'a', sequence: 1n, endorsementPlugin: 'escc' }, { name: 'b' }]);
});

t.test(
  'an approval is an administrator’s, for a package that is here and a contract',
  async (t) => {
    const ledger = madeLedger();
    const approve = (by = {}, changes = {}, id = packageId) =>
      ledger.call('ApproveChaincodeDefinitionForMyOrg', approveArgs(id, changes), {
        packages: [notary],
        ...by,
      });
    t.match(approve({ isAdmin: false }).message, /not an admin under this MSP \[Org1MSP\]/);
    t.match(approve({ endorsers: ['Org2MSP'] }).message, /not an admin under this MSP \[Org2MSP\]/);
    t.match(
      approve({ packages: [] }).message,
      `chaincode install package '${packageId}' not found`,
    );
    t.match(approve({ packages: [other] }).message, /not found/);
    t.match(approve({}, {}, '').message, /a package ID is required/);
    const noContract = contractPackage(utf8('\0asm no module'));
    const { packageId: noId } = parseContractPackage(noContract);
    t.match(approve({ packages: [noContract] }, {}, noId), { status: 500 });
    t.notOk(ledger.written.has(lifecycleKeys.contract('notary')));
  },
);

t.test('what a stock peer could not live with, or is not done here, is refused', async (t) => {
  const ledger = madeLedger();
  const refused = (changes: object, reason: RegExp) => {
    t.match(approveAs(ledger, 'Org1MSP', notary, changes), { status: 500, message: reason });
    t.match(commitBy(ledger, [], changes), { status: 500, message: reason });
  };
  const invalid = 'error validating chaincode definition: ';
  refused({ name: 'a/b' }, new RegExp(`${invalid}invalid chaincode name 'a/b'`));
  refused({ name: 'qscc' }, new RegExp(`${invalid}chaincode name 'qscc' is the name of a system`));
  refused({ version: 'a b' }, new RegExp(`${invalid}invalid chaincode version 'a b'`));
  refused({ collections: utf8('x') }, /private data collections are not supported/);
  refused({ initRequired: true }, /init-required is not supported/);
  refused({ validationPlugin: 'mine' }, /plugin 'mine' is not supported, only 'vscc'/);
  refused({ endorsementPlugin: 'mine' }, /plugin 'mine' is not supported, only 'escc'/);
  const policyless = { validationParameter: utf8('junk') };
  t.match(approveAs(ledger, 'Org1MSP', notary, policyless).message, /no well-formed application/);
});

t.test('a commit needs the code, here or on the ledger', async (t) => {
  const ledger = madeLedger();
  approveAs(ledger, 'Org1MSP');
  const commit = (changes = {}) =>
    ledger.call('CommitChaincodeDefinition', definitionArgs(changes), { endorsers: ['Org1MSP'] });
  t.match(commit().message, /the approved chaincode package is not installed/);
  commitBy(ledger, ['Org1MSP']);
  approveAs(ledger, 'Org1MSP', notary, { sequence: 2n });
  t.equal(commit({ sequence: 2n }).status, 200, 'the ledger has it');
});
