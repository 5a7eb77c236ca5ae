import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientProfile } from '../../interop/client-profile.ts';

/** One round of Caliper's. */
export interface CaliperRound {
  readonly label: string;
  readonly calls: 'create' | 'read';
  readonly transactions: number;
  readonly inFlight: number;
}

/** The files that `caliper launch manager` reads; JSON is YAML. */
export interface CaliperWorkspace {
  readonly dir: string;
  readonly networkFile: string;
  readonly benchFile: string;
}

/** Describes a network and the rounds to Caliper's Fabric connector. */
export function writeWorkspace(
  dir: string,
  profile: ClientProfile,
  rounds: readonly CaliperRound[],
): CaliperWorkspace {
  mkdirSync(dir, { recursive: true });
  const write = (name: string, content: unknown): string => {
    const file = join(dir, name);
    writeFileSync(file, JSON.stringify(content, undefined, 2));
    return file;
  };
  const connection = write('connection.json', connectionOf(profile));
  return {
    dir,
    networkFile: write('network.json', networkOf(profile, connection)),
    benchFile: write('bench.json', benchOf(profile, rounds)),
  };
}

function connectionOf({ endpoint, tlsRootFile, mspid }: ClientProfile): unknown {
  const gateway = { url: `grpcs://${endpoint}`, tlsCACerts: { path: tlsRootFile } };
  return {
    name: 'the zone',
    version: '1.0.0',
    client: { organization: mspid },
    organizations: { [mspid]: { mspid, peers: ['gateway'] } },
    peers: { gateway },
  };
}

function networkOf(profile: ClientProfile, connection: string): unknown {
  const { channel, contract, mspid, certificateFile, keyFile } = profile;
  const identity = {
    name: 'user',
    clientSignedCert: { path: certificateFile },
    clientPrivateKey: { path: keyFile },
  };
  return {
    name: 'Countersign',
    version: '2.0.0',
    caliper: { blockchain: 'fabric' },
    channels: [{ channelName: channel, contracts: [{ id: contract }] }],
    organizations: [
      {
        mspid,
        identities: { certificates: [identity] },
        connectionProfile: { path: connection, discover: false },
      },
    ],
  };
}

function benchOf({ contract }: ClientProfile, rounds: readonly CaliperRound[]): unknown {
  const run = `caliper/${performance.timeOrigin}`;
  return {
    test: {
      name: "Fabric's gateway, served by a zone",
      description: 'Endorse, submit and wait for the commit; evaluate.',
      workers: { number: 1 },
      rounds: rounds.map(({ label, calls, transactions, inFlight }) => ({
        label,
        txNumber: transactions,
        rateControl: { type: 'fixed-load', opts: { transactionLoad: inFlight } },
        workload: {
          module: join(import.meta.dirname, 'workload.ts'),
          arguments: { contract, calls, run },
        },
      })),
    },
  };
}
