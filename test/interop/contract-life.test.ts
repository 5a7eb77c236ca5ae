import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { toHex } from '#base';
import { identityNames } from '#cli';
import { TestNetwork } from '../support/test-network.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { writeMspDir } from './msp-dir.ts';
import { until } from './poll.ts';
import { joinStockPeer, ourPeers } from './product-network.ts';
import { commitHashIn, validationCodesIn } from './stored-block.ts';
import { fabricVersions } from './versions.ts';
import { valuesContract } from './zone-for-clients.ts';

const execute = promisify(execFile);
const scriptWaitMsMax = 300_000;
const waitMsMax = 60_000;
const script = join(import.meta.dirname, 'contract-life.sh');
const steps = [
  'packaged values_1',
  'installed values_1',
  'refused to commit too early',
  'approved sequence 1',
  'committed sequence 1',
  'queried house',
  'refused what the contract refuses',
  'committed sequence 2',
  'read the channel',
  'changed the configuration',
  'stock peers have it all',
  'system contracts say the same',
  'all of it is done',
];

for (const version of fabricVersions()) {
  t.test(`stock peer commands do the whole life of a contract (${version.name})`, async (t) => {
    const dir = t.testdir();
    const zone = await TestNetwork.start();
    t.teardown(() => zone[Symbol.asyncDispose]());
    const peer = await joinStockPeer(t, zone, version, join(dir, 'stock'));
    const code = join(dir, 'values.wasm');
    writeFileSync(code, await valuesContract());
    const binaries = await fabricBinaries(version);
    const env = {
      ...(await scriptEnv(zone, dir)),
      PATH: `${dirname(binaries.peer)}:${dirname(process.execPath)}:${process.env['PATH']}`,
      FABRIC_CFG_PATH: binaries.sampleconfig,
      PEERS: peer.address,
    };
    const { stdout } = await execute(script, [code], { env, timeout: scriptWaitMsMax });
    for (const step of steps) t.ok(stdout.split('\n').includes(`ok: ${step}`), step);

    const height = await peer.height();
    const [ours] = ourPeers(zone);
    await until('our peer has it all', waitMsMax, async () => (await ours!.height()) >= height);
    const verdicts = (blocks: Uint8Array[]) =>
      blocks.map((block) => [
        validationCodesIn(block),
        toHex(commitHashIn(block) ?? new Uint8Array(0)),
      ]);
    t.strictSame(verdicts(await ours!.blocks(height)), verdicts(await peer.blocks(height)));
  });
}

/** What the script says it needs to know of a network. */
async function scriptEnv(
  { network: { layout, ports, spec } }: TestNetwork,
  dir: string,
): Promise<Record<string, string>> {
  const adminOf = (name: string) => {
    const { certificateFile, keyFile } = layout.identity(identityNames.admin(name));
    return writeMspDir(join(dir, `admin-${name}`), {
      caCerts: [readFileSync(layout.caCertificate(name), 'utf8')],
      signCert: readFileSync(certificateFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    });
  };
  const env: Record<string, string> = {
    CHANNEL: spec.channel,
    ZONE: `localhost:${ports.deliver}`,
    ZONE_CA: layout.tls('manager').caFile,
    ZONE_MSP: await adminOf(spec.zone.name),
    PEERS_CA: layout.tls(identityNames.transport('org1')).caFile,
  };
  for (const [index, { name, mspid }] of spec.organisations.entries()) {
    env[`ORG${index + 1}`] = `localhost:${ports.organizations[mspid]}`;
    env[`ORG${index + 1}_MSP`] = await adminOf(name);
  }
  return env;
}
