import { existsSync, readFileSync } from 'node:fs';
import { fault } from './faults.ts';
import type { NetworkPorts } from './network-create.ts';
import { NetworkLayout } from './network-layout.ts';
import type { NetworkSpec } from './network-spec.ts';
import { ServiceClient } from './service-client.ts';

export interface OpenNetwork {
  layout: NetworkLayout;
  spec: NetworkSpec;
  ports: NetworkPorts;
}

/** A network made by `network create`. @throws CLI_NETWORK_MISSING */
export function openNetwork(dir: string): OpenNetwork {
  const layout = new NetworkLayout(dir);
  if (!existsSync(layout.networkFile)) throw fault('CLI_NETWORK_MISSING', { dir: layout.dir });
  const { ports, ...spec } = JSON.parse(readFileSync(layout.networkFile, 'utf8')) as NetworkSpec & {
    ports: NetworkPorts;
  };
  return { layout, spec, ports };
}

/** A client of the network's manager. */
export function serviceOf({ layout, ports }: OpenNetwork): ServiceClient {
  return new ServiceClient(`https://localhost:${ports.http}`, layout.tls('manager').caFile);
}
