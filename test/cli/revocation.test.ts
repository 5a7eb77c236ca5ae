import { createHash, createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { StatusCode, connect, signers } from '@hyperledger/fabric-gateway';
import t from 'tap';
import { PeerClient } from '#cli';
import { parseCsr, parsePem, pemBlocks } from '#crypto';
import { runCommand } from '../../cli/run-command.ts';
import { eventually } from '../support/eventually.ts';
import { TestNetwork } from '../support/test-network.ts';

const twoOfThree = "OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";
const network = await TestNetwork.start({ peerCount: 1, endorserCount: 1 });
t.teardown(() => network[Symbol.asyncDispose]());
const { layout, ports, spec } = network.network;
await network.deploy('notary', { policy: twoOfThree });
const alice = await network.client('alice');
let deposits = 0;

function deposit(): string[] {
  deposits += 1;
  return [createHash('sha256').update(`${deposits}`).digest('hex'), 'deed', 'text/plain'];
}

/** Runs a command about the network. @returns its status, and what it said. */
async function run(...words: string[]): Promise<[status: number, said: string]> {
  let said = '';
  const say = (text: string) => (said += `${text}\n`);
  const status = await runCommand([...words, '--dir', network.dir], { say, complain: say });
  return [status, said];
}

/** Whose nodes endorsed a request made now. */
async function endorsersNow(): Promise<string[]> {
  const { status, body } = await alice.post('notary', ['deposit', ...deposit()]);
  if (status !== 200) throw new Error(JSON.stringify(body));
  const { transaction } = body as { transaction: string };
  const seen = await network.service.get(`/v1/transactions/${transaction}`);
  return (seen.body as { endorsers: string[] }).endorsers;
}

t.test('a revoked node: what it endorsed counts for nothing from the next block on', async (t) => {
  const client = new Client(
    `localhost:${ports.deliver}`,
    credentials.createSsl(readFileSync(layout.tls('manager').caFile)),
  );
  const { certificateFile, keyFile } = layout.identity('alice');
  const gateway = connect({
    client,
    identity: { mspId: 'Org1MSP', credentials: readFileSync(certificateFile) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(keyFile))),
  });
  t.teardown(() => {
    gateway.close();
    client.close();
  });
  const notary = gateway.getNetwork(spec.channel).getContract('notary');
  const endorsed = async () =>
    notary
      .newProposal('deposit', {
        arguments: deposit(),
        endorsingOrganizations: ['Org2MSP', 'Org3MSP'],
      })
      .endorse();
  const [before, after] = [await endorsed(), await endorsed()];
  const early = await (await before.submit()).getStatus();
  t.equal(early.code, StatusCode.VALID);

  const [status, said] = await run('key', 'revoke', 'node0.org3');
  t.equal(status, 0, said);
  t.match(JSON.parse(said), { mspid: 'Org3MSP', configuration: '1' });
  const late = await (await after.submit()).getStatus();
  t.equal(late.code, StatusCode.ENDORSEMENT_POLICY_FAILURE);

  const peer = PeerClient.open(layout, 'peer-1');
  await eventually(async () => {
    t.equal(await peer.verdict(late.transactionId), 'ENDORSEMENT_POLICY_FAILURE');
  });
  t.equal(await peer.verdict(early.transactionId), 'VALID', 'what is in earlier blocks stays');
});

t.test('the zone goes on without the node', async (t) => {
  for (let count = 0; count < 3; count += 1) {
    const endorsers = await endorsersNow();
    t.equal(endorsers.length, 2);
    t.notOk(
      endorsers.some((one) => one.includes('Org3MSP')),
      endorsers.join(),
    );
  }
});

t.test('a certificate is revoked once, and only by a list of its authority', async (t) => {
  t.match(await run('key', 'revoke', 'node0.org3'), [1, /^CLI_KEY_REVOKED/]);
  t.match(await run('key', 'revoke', 'node7.org3'), [1, /^CLI_KEY_MISSING/]);
  const list = join(t.testdir(), 'list.pem');
  writeFileSync(list, 'nothing');
  t.match(await run('key', 'revoke', 'node0.org2', '--crl', list), [1, /^CRYPTO_PEM_MALFORMED/]);
});

t.test('a key gets another certificate, but no other key’s, and none once revoked', async (t) => {
  const other = layout.keyCertificate('node0.org3');
  const own = layout.keyCertificate('node0.org2');
  const before = readFileSync(own, 'utf8');
  t.match(await run('key', 'certify', 'node0.org2', other), [1, /^HSM_KEY_MISMATCH/]);
  t.match(await run('key', 'certify', 'node0.org3'), [1, /^CLI_KEY_COMPROMISED/]);
  t.equal(readFileSync(own, 'utf8'), before, 'it keeps what it had');
  t.match(await run('key', 'certify', 'node0.org2'), [0, /certified until/]);
  const after = parsePem(readFileSync(own, 'utf8'));
  t.not(after.serialHex, parsePem(before).serialHex);
  const [, request] = await run('key', 'csr', 'node0.org2');
  const [csr] = pemBlocks(request, 'CERTIFICATE REQUEST');
  t.equal(parseCsr(csr!).publicKey.fingerprint, after.publicKey.fingerprint);
});
