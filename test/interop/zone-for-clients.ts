import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildContract } from '#wasm';
import { TestNetwork } from '../support/test-network.ts';
import type { NetworkSpec } from '#cli';
import type { ClientProfile } from './client-profile.ts';

const contract = 'values';

/** A zone of organisations that all endorse the contract of the stock network's chaincode. */
export async function startZone(
  organisationCount: number,
  spec: Partial<NetworkSpec> = {},
  prepare: (network: TestNetwork) => void = () => {},
): Promise<TestNetwork> {
  const organisations = Array.from({ length: organisationCount }, (_none, index) => ({
    name: `org${index + 1}`,
    mspid: `Org${index + 1}MSP`,
  }));
  const network = await TestNetwork.start({ organisations, ...spec }, prepare);
  try {
    const principals = organisations.map(({ mspid }) => `'${mspid}.peer'`);
    const policy = `AND(${principals.join(', ')})`;
    const deployed = await network.deploy(contract, { code: await valuesContract(), policy });
    if (deployed.status !== 200) throw new Error(JSON.stringify(deployed.body));
    await network.client('user1');
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}

/** How Org1's user reaches the zone's gateway. */
export function zoneProfile({ network: { layout, spec, ports } }: TestNetwork): ClientProfile {
  return {
    endpoint: `localhost:${ports.deliver}`,
    tlsRootFile: layout.tls('manager').caFile,
    channel: spec.channel,
    contract,
    mspid: 'Org1MSP',
    ...layout.identity('user1'),
  };
}

/** The code of the contract; the same rules stand in `rival/chaincode` for stock Fabric. */
export async function valuesContract(): Promise<Uint8Array> {
  const dir = mkdtempSync(join(tmpdir(), 'values-'));
  try {
    const outFile = join(dir, 'values.wasm');
    const source = join(import.meta.dirname, '..', 'wasm', 'contracts', 'values.as.ts');
    await buildContract(source, outFile);
    return new Uint8Array(readFileSync(outFile));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
