import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fabricBinaries } from './fabric-binaries.ts';
import { freeLoopbackPorts } from './loopback-ports.ts';
import { writeMspDir } from './msp-dir.ts';
import { stockNetwork } from './stock-network.ts';
import { startStockPeer } from './stock-peer.ts';
import { fabricVersions } from './versions.ts';

for (const version of fabricVersions()) {
  t.test(`a stock peer under test (${version.name})`, async (t) => {
    const dir = t.testdir();
    const [ordererPort = 0] = await freeLoopbackPorts(1);
    const binaries = await fabricBinaries(version);
    const network = await stockNetwork(binaries, join(dir, 'network'), ordererPort);
    const mspDir = await rewrittenMsp(network.mspDir, join(dir, 'msp'));

    const peer = await startStockPeer(t, { ...network, mspDir, dir: join(dir, 'peer') });

    await t.test('it joins a channel under an identity with OU=client', async (t) => {
      t.equal(await peer.height(), 1n);
      t.strictSame(await peer.validationCodes(0n), [0]);
      t.equal(await peer.commitHash(0n), undefined);
    });

    await t.test('it hands out the very block that it joined with', async (t) => {
      const genesis = readFileSync(network.genesisBlockFile);
      const block = Buffer.from(await peer.block(0n));
      // Header and data come first; the peer changes metadata only.
      t.ok(block.subarray(0, genesis.length / 2).equals(genesis.subarray(0, genesis.length / 2)));
    });

    await t.test('it keeps its height when it is killed and started again', async (t) => {
      const before = peer.pid;
      await peer.kill();
      await t.rejects(peer.height());
      await peer.start();
      t.equal(await peer.height(), 1n);
      t.not(peer.pid, before);
    });

    await t.test(
      'a height that it does not reach is waited for no longer than asked',
      async (t) => {
        await t.rejects(peer.waitForHeight(2n, 500), /waited for height 2/);
      },
    );
  });
}

/** The same identity through {@link writeMspDir}, so that what it writes is what a stock peer reads. */
async function rewrittenMsp(from: string, to: string): Promise<string> {
  const read = (...path: string[]) => readFileSync(join(from, ...path), 'utf8');
  const signCert = read('signcerts', 'User1@one.test-cert.pem');
  const { subject } = new X509Certificate(signCert);
  if (!subject.includes('OU=client')) throw new Error(`not a client: ${subject}`);
  return writeMspDir(to, {
    caCerts: [read('cacerts', 'ca.one.test-cert.pem')],
    tlsCaCerts: [read('tlscacerts', 'tlsca.one.test-cert.pem')],
    signCert,
    key: read('keystore', 'priv_sk'),
  });
}
