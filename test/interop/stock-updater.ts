import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FabricBinaries } from './fabric-binaries.ts';

const execute = promisify(execFile);
const commandWaitMsMax = 60_000;

/** A group of a configuration as configtxlator prints it. */
export interface PrintedGroup {
  groups: Record<string, PrintedGroup>;
  values: Record<string, { value: Record<string, unknown> }>;
}

/** Changes a channel's configuration by the commands that Fabric's documentation tells operators. */
export class StockUpdater {
  readonly #binaries: FabricBinaries;
  readonly #dir: string;
  readonly #ordering: readonly string[];
  readonly #channel: string;

  /** @param dir becomes the updater's. */
  constructor(
    binaries: FabricBinaries,
    dir: string,
    zone: { channel: string; orderer: string; tlsRootFile: string },
  ) {
    this.#binaries = binaries;
    this.#dir = dir;
    this.#channel = zone.channel;
    this.#ordering = [
      '-c',
      zone.channel,
      '-o',
      zone.orderer,
      '--tls',
      '--cafile',
      zone.tlsRootFile,
    ];
    mkdirSync(dir, { recursive: true });
  }

  /**
   * Fetches the configuration, changes it, has the update signed and posts it.
   *
   * @param as who signs and posts: with the MSP directory of an administrator.
   */
  async update(
    as: { mspid: string; mspDir: string },
    edit: (channelGroup: PrintedGroup) => void,
  ): Promise<void> {
    const peer = (...args: string[]) => this.#peer(as, args);
    await peer('channel', 'fetch', 'config', this.#file('config.block'), ...this.#ordering);
    const block = await this.#decode('config.block', 'common.Block');
    const { config } = (block as PrintedBlock).data.data[0].payload.data;
    await this.#encode('config.pb', 'common.Config', config);
    edit(config.channel_group);
    await this.#encode('changed.pb', 'common.Config', config);
    const sides = ['--original', this.#file('config.pb'), '--updated', this.#file('changed.pb')];
    const update = ['--channel_id', this.#channel, ...sides, '--output', this.#file('update.pb')];
    await this.#run(this.#binaries.configtxlator, ['compute_update', ...update]);
    const envelope = {
      payload: {
        header: { channel_header: { channel_id: this.#channel, type: configUpdateType } },
        data: { config_update: await this.#decode('update.pb', 'common.ConfigUpdate') },
      },
    };
    await this.#encode('envelope.pb', 'common.Envelope', envelope);
    await peer('channel', 'signconfigtx', '-f', this.#file('envelope.pb'));
    await peer('channel', 'update', '-f', this.#file('envelope.pb'), ...this.#ordering);
  }

  #peer({ mspid, mspDir }: { mspid: string; mspDir: string }, args: string[]): Promise<void> {
    return this.#run(this.#binaries.peer, args, {
      FABRIC_CFG_PATH: this.#binaries.sampleconfig,
      FABRIC_LOGGING_SPEC: 'error',
      CORE_PEER_LOCALMSPID: mspid,
      CORE_PEER_MSPCONFIGPATH: mspDir,
    });
  }

  async #decode(name: string, type: string): Promise<unknown> {
    const files = ['--input', this.#file(name), '--output', this.#file(`${name}.json`)];
    await this.#run(this.#binaries.configtxlator, ['proto_decode', '--type', type, ...files]);
    return JSON.parse(readFileSync(this.#file(`${name}.json`), 'utf8'));
  }

  async #encode(name: string, type: string, value: unknown): Promise<void> {
    writeFileSync(this.#file(`${name}.json`), JSON.stringify(value));
    const files = ['--input', this.#file(`${name}.json`), '--output', this.#file(name)];
    await this.#run(this.#binaries.configtxlator, ['proto_encode', '--type', type, ...files]);
  }

  async #run(program: string, args: string[], env: Record<string, string> = {}): Promise<void> {
    const environment = { PATH: process.env['PATH'], ...env };
    await execute(program, args, { env: environment, timeout: commandWaitMsMax });
  }

  #file(name: string): string {
    return join(this.#dir, name);
  }
}

/** common.HeaderType.CONFIG_UPDATE. */
const configUpdateType = 2;

interface PrintedBlock {
  data: { data: [{ payload: { data: { config: { channel_group: PrintedGroup } } } }] };
}
