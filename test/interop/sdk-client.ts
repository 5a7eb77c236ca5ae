import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, signers } from '@hyperledger/fabric-gateway';
import type { Gateway } from '@hyperledger/fabric-gateway';
import type { ClientProfile } from './client-profile.ts';
import { until } from './poll.ts';

export interface SdkClient extends Disposable {
  readonly gateway: Gateway;
  /** A gateway of the same identity that has no key: what it sends was signed elsewhere. */
  readonly keyless: Gateway;
}

/** Fabric's Node SDK, unmodified, as a profile says. */
export function sdkClient(profile: ClientProfile): SdkClient {
  const root = readFileSync(profile.tlsRootFile);
  const client = new Client(profile.endpoint, credentials.createSsl(root));
  const identity = { mspId: profile.mspid, credentials: readFileSync(profile.certificateFile) };
  const signer = signers.newPrivateKeySigner(createPrivateKey(readFileSync(profile.keyFile)));
  const gateway = connect({ client, identity, signer });
  const keyless = connect({ client, identity });
  return {
    gateway,
    keyless,
    [Symbol.dispose]: () => {
      gateway.close();
      keyless.close();
      client.close();
    },
  };
}

/** Waits until a transaction commits: stock peers find each other's organisations only after a while. */
export async function untilGatewayCommits(profile: ClientProfile): Promise<void> {
  using client = sdkClient(profile);
  const contract = client.gateway.getNetwork(profile.channel).getContract(profile.contract);
  let last: unknown;
  let tries = 0;
  try {
    await until('a transaction to commit', 120_000, async () => {
      tries += 1;
      const key = `ready/${performance.timeOrigin}/${tries}`;
      last = await contract.submitTransaction('create', key, 'ready').then(
        () => undefined,
        (error: unknown) => error,
      );
      return last === undefined;
    });
  } catch (cause) {
    throw new Error(`no transaction commits: ${String(last)}`, { cause });
  }
}
