import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base';
import {
  ZoneProcesses,
  admitIdentity,
  clientKey,
  contractCode,
  createNetwork,
  defaultNetwork,
  deployContract,
  identityNames,
  lifecycleFunctions,
  newClient,
  openNetwork,
  serviceOf,
  signRequest,
} from '#cli';
import type { NetworkSpec, OpenNetwork, ServiceAnswer, ServiceClient } from '#cli';
import type { JoseAlgorithm } from '#crypto';
import { startChildrenPlainly } from './plain-children.ts';

startChildrenPlainly();

export const everyOrganisation = "AND('Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')";

/** A running network of real processes in a directory of its own; disposing stops and removes it. */
export class TestNetwork implements AsyncDisposable {
  readonly dir: string;
  readonly network: OpenNetwork;
  readonly processes: ZoneProcesses;
  readonly service: ServiceClient;

  private constructor(dir: string) {
    this.dir = dir;
    this.network = openNetwork(dir);
    this.processes = new ZoneProcesses(this.network.layout);
    this.service = serviceOf(this.network);
  }

  /**
   * Makes and starts it.
   *
   * @param spec what shall differ from the default network.
   * @param prepare called before anything is started.
   */
  static async start(
    spec: Partial<NetworkSpec> = {},
    prepare: (network: TestNetwork) => void | Promise<void> = () => {},
  ): Promise<TestNetwork> {
    const dir = mkdtempSync(join(tmpdir(), 'cs-'));
    await createNetwork(dir, { ...defaultNetwork, ...spec });
    const made = new TestNetwork(dir);
    try {
      await prepare(made);
      await made.processes.startAll();
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
    return made;
  }

  get channel(): string {
    return this.network.spec.channel;
  }

  /** Has a contract approved by every organisation and committed; one by name, or given code. */
  async deploy(
    name: string,
    options: { code?: Uint8Array; policy?: string; sequence?: number } = {},
  ): Promise<ServiceAnswer> {
    const { policy = everyOrganisation, sequence = 1 } = options;
    const code = options.code ?? (await contractCode(name));
    const deployment = { name, version: '1.0', sequence, policy, code };
    return deployContract(this.dir, this.admitAdmins(), deployment);
  }

  /** Puts the organisations' administrators on the whitelist, for the lifecycle. @returns their kids. */
  admitAdmins(): string[] {
    const functions = [...lifecycleFunctions];
    const grants = [{ channel: this.channel, contract: '_lifecycle', functions }];
    const admins = this.network.spec.organisations.map(({ name }) => identityNames.admin(name));
    for (const admin of admins) admitIdentity(this.dir, admin, grants);
    return admins;
  }

  /** A whitelisted client that may call everything on the channel. */
  async client(kid: string, algorithm: JoseAlgorithm = 'ES256'): Promise<TestClient> {
    const grants = [{ channel: this.channel, contract: '*', functions: ['*'] }];
    await newClient(this.dir, { kid, orgName: 'org1', algorithm, nodeOu: 'client', grants });
    return new TestClient(this, kid);
  }

  /** Names of all its processes, in starting order. */
  get processNames(): string[] {
    return ZoneProcesses.names(this.network.layout);
  }

  /** Changes a process's configuration file; it counts from the next start on. */
  configure(processName: string, change: (config: Record<string, unknown>) => void): void {
    const file = this.network.layout.config(processName);
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    change(config);
    writeFileSync(file, JSON.stringify(config));
  }

  /** Ends processes as a crash would and starts them again, in the order given. */
  async restart(...processNames: string[]): Promise<void> {
    for (const name of processNames) await this.processes.kill(name);
    for (const name of processNames) await this.processes.start(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes.stopAll();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Signs and posts requests as one client. */
export class TestClient {
  readonly #network: TestNetwork;
  readonly #kid: string;
  readonly #key;

  constructor(network: TestNetwork, kid: string) {
    this.#network = network;
    this.#kid = kid;
    this.#key = clientKey(network.dir, kid);
  }

  /** A signed request with one operation, or with several under the one signature. */
  sign(contract: string, ...operations: readonly [name: string, ...args: string[]][]): string {
    return signRequest(this.#key, this.#kid, {
      channel: this.#network.channel,
      contract,
      operations: operations.map(([name, ...args]) => ({ function: name, args })),
      lifetimeSeconds: 600,
      nowMs: systemClock.nowMs(),
    });
  }

  post(contract: string, ...operations: readonly [name: string, ...args: string[]][]) {
    return this.#network.service.post(this.sign(contract, ...operations));
  }
}
