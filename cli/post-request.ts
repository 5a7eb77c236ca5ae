import { systemClock } from '#base';
import { signRequest } from './client-key.ts';
import { clientKey } from './clients.ts';
import { openNetwork, serviceOf } from './network-open.ts';
import type { ServiceAnswer } from './service-client.ts';

const lifetimeSeconds = 300;

/** Signs a request with a client's key and posts it. */
export function postRequest(request: {
  dir: string;
  kid: string;
  contract: string;
  operations: { function: string; args: string[] }[];
}): Promise<ServiceAnswer> {
  const { dir, kid, contract, operations } = request;
  const network = openNetwork(dir);
  const jws = signRequest(clientKey(dir, kid), kid, {
    channel: network.spec.channel,
    contract,
    operations,
    lifetimeSeconds,
    nowMs: systemClock.nowMs(),
  });
  return serviceOf(network).post(jws);
}
