import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openNetwork } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';
import { ZoneProcesses } from './zone-processes.ts';

/** Runs the whole network until SIGINT or SIGTERM, then stops it. */
export async function runForeground(dir: string, say: (text: string) => void): Promise<void> {
  const network = openNetwork(dir);
  await using processes = new ZoneProcesses(network.layout);
  await processes.startAll();
  await waitUntilStopped(network, say);
}

/** Says where the running network is reached, and waits for SIGINT or SIGTERM. */
export async function waitUntilStopped(
  { layout, ports }: OpenNetwork,
  say: (text: string) => void,
): Promise<void> {
  say(`requests  https://localhost:${ports.http}/v1/requests`);
  say(`openapi   https://localhost:${ports.http}/openapi.json`);
  say(`gateway   grpcs://localhost:${ports.deliver}  (also blocks, as an orderer and as a peer)`);
  for (const [mspid, port] of Object.entries(ports.organizations)) {
    say(`${mspid.padEnd(10)}grpcs://localhost:${port}`);
  }
  say(`TLS root  ${layout.tls('manager').caFile}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

/** Runs one process of the product in the foreground. @returns its exit status. */
export async function runOne(kind: 'peer', configFile: string): Promise<number> {
  const script = fileURLToPath(new URL(`../${kind}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, configFile], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}
