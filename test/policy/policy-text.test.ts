import { common, msp } from '@hyperledger/fabric-protos';
import t from 'tap';
import { limits } from '#base';
import { MspRole, SignaturePolicyEnvelope, mspRoles } from '#formats';
import type { SignaturePolicy } from '#formats';
import { parsePolicyText, policyText } from '#policy';

const code = 'POLICY_TEXT_INVALID';

t.test('a text becomes gates over numbered principals', async (t) => {
  const { version, rule, identities } = parsePolicyText(
    "OutOf(2, 'A.peer', 'B.admin', 'C.member')",
  );
  t.equal(version, 0);
  t.equal(rule?.nOutOf?.n, 2);
  t.strictSame(
    rule?.nOutOf?.rules.map((one) => one.signedBy),
    [0, 1, 2],
  );
  t.strictSame(
    identities.map((one) => MspRole.decode(one.principal)),
    [
      { mspIdentifier: 'A', role: mspRoles.peer },
      { mspIdentifier: 'B', role: mspRoles.admin },
      { mspIdentifier: 'C', role: mspRoles.member },
    ],
  );
});

t.test('principals of inner gates are numbered first, as Fabric numbers them', async (t) => {
  const { rule, identities } = parsePolicyText("AND('A.peer', OR('B.peer', 'C.peer'), 'D.peer')");
  const names = identities.map((one) => MspRole.decode(one.principal).mspIdentifier);
  t.strictSame(names, ['B', 'C', 'A', 'D']);
  const numbers = (one: SignaturePolicy): unknown => one.signedBy ?? one.nOutOf?.rules.map(numbers);
  t.strictSame(numbers(rule as SignaturePolicy), [2, [0, 1], 3]);
});

t.test("Fabric's own messages read what was made", async (t) => {
  const bytes = SignaturePolicyEnvelope.encode(parsePolicyText("AND('A.orderer', 'B.client')"));
  const envelope = common.SignaturePolicyEnvelope.deserializeBinary(bytes);
  t.equal(envelope.getRule()!.getNOutOf()!.getN(), 2);
  const [first] = envelope.getIdentitiesList();
  const role = msp.MSPRole.deserializeBinary(first!.getPrincipal_asU8());
  t.equal(role.getRole(), msp.MSPRole.MSPRoleType.ORDERER);
});

t.test('a text comes back as it was written', async (t) => {
  for (const text of [
    "AND('A.peer', 'B.peer')",
    "OR('Org1MSP.admin', 'Org1MSP.client')",
    "OutOf(2, 'A.peer', 'B.peer', 'C.peer')",
    "OutOf(0, 'A.peer', 'B.peer')",
    "OutOf(3, 'A.peer', 'B.peer')",
    "AND(OR('B.peer', 'C.peer'), OutOf(2, 'x-1.y.peer', 'B.orderer', OR('A.member', 'C.member')))",
  ]) {
    const envelope = parsePolicyText(text);
    t.equal(policyText(envelope), text);
    t.strictSame(parsePolicyText(policyText(envelope) as string), envelope);
  }
});

t.test('blanks, the case of a gate and the kind of quotes do not matter', async (t) => {
  const plain = parsePolicyText("AND('A.peer', OutOf(1, 'B.peer'))");
  for (const text of [
    ` and ( "A.peer",outof(1,'B.peer') )\n`,
    `AND('A.peer',\tOUTOF(1,"B.peer"))`,
    `And("A.peer", OutOf( 1 , 'B.peer'))`,
  ]) {
    t.strictSame(parsePolicyText(text), plain);
  }
});

t.test('what is no policy is refused', async (t) => {
  for (const text of [
    '',
    ' ',
    "'A.peer'",
    'A.peer',
    'AND',
    'AND(',
    'AND()',
    "AND('A.peer'",
    "AND('A.peer',)",
    "AND('A.peer' 'B.peer')",
    "AND('A.peer') x",
    "AND('A.peer'), OR('B.peer')",
    "NOT('A.peer')",
    "aND('A.peer')",
    "AND('A.boss')",
    "AND('A.Peer')",
    "AND('.peer')",
    "AND('peer')",
    "AND('A B.peer')",
    "AND('A_B.peer')",
    "AND('A.peer)",
    'AND(\'A.peer")',
    "OutOf('A.peer')",
    "OutOf(2 'A.peer')",
    "OutOf(-1, 'A.peer')",
    "OutOf(1.5, 'A.peer')",
    "OutOf(3, 'A.peer')",
    'OutOf(1)',
    "OutOf(99999, 'A.peer')",
  ]) {
    t.throws(() => parsePolicyText(text), { code }, text);
  }
});

t.test('length and depth of a text are bounded', async (t) => {
  const nested = (depth: number) => `${'OR('.repeat(depth)}'A.peer'${')'.repeat(depth)}`;
  t.ok(parsePolicyText(nested(limits.policyTextDepthMax)));
  t.throws(() => parsePolicyText(nested(limits.policyTextDepthMax + 2)), { code });
  const long = `OR('A.peer'${' '.repeat(limits.policyTextBytesMax)})`;
  t.throws(() => parsePolicyText(long), { code });
});

t.test('a policy with principals that the language lacks has no text', async (t) => {
  const envelope = parsePolicyText("OR('A.peer')");
  t.equal(policyText({ ...envelope, rule: undefined }), undefined);
  const [principal] = envelope.identities;
  t.equal(
    policyText({ ...envelope, identities: [{ ...principal!, principalClassification: 1 }] }),
    undefined,
  );
});
