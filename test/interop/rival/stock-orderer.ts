import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ChildProgram } from '../child-program.ts';
import type { FabricBinaries } from '../fabric-binaries.ts';
import { until } from '../poll.ts';
import type { StockMaterial } from '../stock-material.ts';
import { inPlace } from '../stock-peer.ts';

const execute = promisify(execFile);

export interface StockOrdererOptions {
  readonly binaries: FabricBinaries;
  /** An empty or absent directory that becomes the orderer's. */
  readonly dir: string;
  readonly channel: string;
  readonly material: StockMaterial;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly operationsPort: number;
  /** A command that runs the command behind it elsewhere. */
  readonly prefix: readonly string[];
}

/** Starts one etcdraft ordering node of stock Fabric and joins it to the channel. */
export async function startStockOrderer(options: StockOrdererOptions): Promise<ChildProgram> {
  const { binaries, dir, channel, material, adminPort, prefix } = options;
  await mkdir(dir, { recursive: true });
  await cp(binaries.sampleconfig, join(dir, 'config'), { recursive: true });
  const [command, ...args] = inPlace(prefix, binaries.orderer);
  const logFile = join(dir, 'orderer.log');
  const program = new ChildProgram({ command, args, env: ordererEnv(options), logFile });
  program.start();
  const [tool, ...joinArgs] = inPlace(prefix, binaries.osnadmin, 'channel', 'join');
  joinArgs.push('--channelID', channel, '--config-block', material.genesisBlockFile);
  joinArgs.push('-o', `127.0.0.1:${adminPort}`);
  try {
    await until('the orderer joins the channel', 60_000, async () => {
      if (!program.running) throw new Error(`the orderer ended:\n${program.log().slice(-3_000)}`);
      const joined = await execute(tool, joinArgs).catch(() => undefined);
      return /Status: 201/.test(joined?.stdout ?? '');
    });
  } catch (error) {
    await program.stop();
    throw error;
  }
  return program;
}

function ordererEnv(options: StockOrdererOptions): NodeJS.ProcessEnv {
  const { dir, material, host, port, adminPort, operationsPort } = options;
  const tls = (file: string) => join(material.ordererDir, 'tls', file);
  return {
    PATH: process.env['PATH'],
    FABRIC_CFG_PATH: join(dir, 'config'),
    FABRIC_LOGGING_SPEC: 'warn',
    ORDERER_GENERAL_BOOTSTRAPMETHOD: 'none',
    ORDERER_GENERAL_LISTENADDRESS: host === '127.0.0.1' ? host : '0.0.0.0',
    ORDERER_GENERAL_LISTENPORT: String(port),
    ORDERER_GENERAL_LOCALMSPID: 'ZoneMSP',
    ORDERER_GENERAL_LOCALMSPDIR: join(material.ordererDir, 'msp'),
    ORDERER_GENERAL_TLS_ENABLED: 'true',
    ORDERER_GENERAL_TLS_CERTIFICATE: tls('server.crt'),
    ORDERER_GENERAL_TLS_PRIVATEKEY: tls('server.key'),
    ORDERER_GENERAL_TLS_ROOTCAS: `[${tls('ca.crt')}]`,
    ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE: tls('server.crt'),
    ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY: tls('server.key'),
    ORDERER_GENERAL_CLUSTER_ROOTCAS: `[${tls('ca.crt')}]`,
    ORDERER_FILELEDGER_LOCATION: join(dir, 'ledger'),
    ORDERER_CONSENSUS_WALDIR: join(dir, 'wal'),
    ORDERER_CONSENSUS_SNAPDIR: join(dir, 'snapshots'),
    ORDERER_CHANNELPARTICIPATION_ENABLED: 'true',
    ORDERER_ADMIN_LISTENADDRESS: `127.0.0.1:${adminPort}`,
    ORDERER_OPERATIONS_LISTENADDRESS: `127.0.0.1:${operationsPort}`,
  };
}
