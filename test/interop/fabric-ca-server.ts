import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildProgram } from './child-program.ts';
import { goTool } from './go-program.ts';
import { freeLoopbackPorts } from './loopback-ports.ts';
import { until } from './poll.ts';

const program = 'github.com/hyperledger/fabric-ca/cmd/fabric-ca-server';
const startWaitMsMax = 60_000;

/** Somebody who is registered from the start. */
export interface CaIdentity {
  readonly name: string;
  readonly pass: string;
  /** Becomes the organisational unit. */
  readonly type: 'peer' | 'orderer' | 'client' | 'admin';
  readonly attrs?: Readonly<Record<string, string>>;
}

export interface FabricCaServerOptions {
  /** Becomes the server's. */
  readonly dir: string;
  /** PEM files; the certificate is for localhost. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string };
  /** An authority that exists; without it the server makes one of its own. */
  readonly authority?: { readonly certificateFile: string; readonly keyFile: string };
  readonly identities: readonly CaIdentity[];
}

/** An unmodified fabric-ca-server on loopback, its data in SQLite. @returns where it serves. */
export async function startFabricCaServer(
  t: { teardown(end: () => unknown): unknown },
  { dir, tls, authority, identities }: FabricCaServerOptions,
): Promise<{ url: string }> {
  const [port = 0, operationsPort = 0] = await freeLoopbackPorts(2);
  const config = {
    address: '127.0.0.1',
    port,
    tls: { enabled: true, certfile: tls.certificateFile, keyfile: tls.keyFile },
    ca: { name: 'ca', certfile: authority?.certificateFile, keyfile: authority?.keyFile },
    registry: {
      maxenrollments: -1,
      identities: identities.map((one) => ({ affiliation: '', ...one })),
    },
    db: { type: 'sqlite3', datasource: 'fabric-ca-server.db' },
    csr: { cn: 'an authority of its own', ca: { expiry: '131400h', pathlength: 1 } },
    signing: { default: { usage: ['digital signature'], expiry: '8760h' } },
    bccsp: {
      default: 'SW',
      sw: { hash: 'SHA2', security: 256, filekeystore: { keystore: 'msp/keystore' } },
    },
    operations: { listenAddress: `127.0.0.1:${operationsPort}` },
  };
  await mkdir(dir, { recursive: true });
  // JSON is YAML too.
  await writeFile(join(dir, 'fabric-ca-server-config.yaml'), JSON.stringify(config));
  const server = new ChildProgram({
    command: await goTool(join(import.meta.dirname, 'fabric-ca'), program, true),
    args: ['start', '--home', dir],
    env: { PATH: process.env['PATH'], HOME: dir },
    logFile: join(dir, 'server.log'),
  });
  server.start();
  t.teardown(() => server.stop());
  await until('the CA server', startWaitMsMax, () => {
    if (!server.running) throw new Error(`it ended:\n${server.log()}`);
    return server.log().includes('Listening on https://');
  });
  return { url: `https://localhost:${port}` };
}
