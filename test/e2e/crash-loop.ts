/** A zone whose processes are ended at named points again and again, under load. */
import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { findSoftHsmModule } from '#softhsm-config';
import { seededRandom } from '../crypto/fuzzing.ts';
import { guardedHashes } from '../hsm/guarded-hashes.ts';
import { compiledContract } from '../support/compiled-contract.ts';
import { CrashShim } from '../support/crash-shim.ts';
import type { CrashPoint } from '../support/crash-shim.ts';
import { faultShim } from '../support/fault-shim.ts';
import type { ShimControl } from '../support/fault-shim.ts';
import { TestNetwork } from '../support/test-network.ts';
import type { TestClient } from '../support/test-network.ts';
import { managerBlocks } from './agreement.ts';
import { answerOf, faultCode } from './answers.ts';
import type { Answer } from './answers.ts';
import { persist } from './persistent-caller.ts';
import { temporaryDir } from '../support/temporary-dir.ts';
import type { TestScope } from '../support/temporary-dir.ts';

const host = 'signer-zone';
const guardPoint = { process: `${host}.json`, file: 'blocks.guard' } as const;
const ledgerPoint = { process: 'manager.json', file: '/blocks-' } as const;

/** Where a process is ended: at a file, or at a signature of the token, before or after it was made. */
type Point = CrashPoint | { readonly signature: 'before' | 'after' };

export const crashPoints: Readonly<Record<string, Point>> = {
  'guard record not written': { ...guardPoint, call: 'write', moment: 'before' },
  'guard record torn': { ...guardPoint, call: 'write', moment: 'torn' },
  'guard record not synced': { ...guardPoint, call: 'sync', moment: 'before' },
  'guard record synced': { ...guardPoint, call: 'sync', moment: 'after' },
  'signature not begun': { signature: 'before' },
  'signature made and not answered': { signature: 'after' },
  'block not written': { ...ledgerPoint, call: 'write', moment: 'before' },
  'block torn': { ...ledgerPoint, call: 'write', moment: 'torn' },
  'block not synced': { ...ledgerPoint, call: 'sync', moment: 'before' },
  'block synced': { ...ledgerPoint, call: 'sync', moment: 'after' },
};

export interface CrashFindings {
  /** How often a process ended at each point. */
  readonly kills: ReadonlyMap<string, number>;
  readonly answered: number;
  readonly blocks: number;
  /** What must not be: in words. */
  readonly wrong: readonly string[];
}

const callers = 4;
const keys = ['k0', 'k1', 'k2', 'k3'];
const strikeWaitMsMax = 60_000;
const pollMs = 5;

/** Kills, and afterwards looks at what the zone has answered, signed and kept. */
export async function crashAgainAndAgain(
  scope: TestScope,
  kills: number,
  seed: number,
): Promise<CrashFindings> {
  const zone = await CrashingZone.start(scope);
  const random = seededRandom(seed);
  const counts = new Map<string, number>();
  const names = Object.keys(crashPoints);
  const load = zone.load();
  for (let round = 0; round < kills; round += 1) {
    const name = names[Math.floor(random() * names.length)] as string;
    const ending = zone.strike(crashPoints[name] as Point, Math.floor(random() * 4));
    await Promise.race([ending, load.failed]);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  await load.end();
  const { answered, blocks, wrong } = await zone.findings();
  return { kills: counts, answered, blocks, wrong };
}

class CrashingZone {
  readonly #network: TestNetwork;
  readonly #files: CrashShim;
  readonly #token: ShimControl;
  readonly #alice: TestClient;
  readonly #answered = new Map<string, { jws: string; answer: Answer }>();

  private constructor(
    network: TestNetwork,
    files: CrashShim,
    token: ShimControl,
    alice: TestClient,
  ) {
    this.#network = network;
    this.#files = files;
    this.#token = token;
    this.#alice = alice;
  }

  static async start(scope: TestScope): Promise<CrashingZone> {
    const files = new CrashShim(temporaryDir(scope));
    scope.teardown(() => files[Symbol.dispose]());
    const { module, moduleEnvironment, control } = faultShim(scope, findSoftHsmModule());
    // The processes of a network inherit the environment of whoever starts them.
    Object.assign(process.env, files.environment);
    scope.teardown(() => {
      for (const name of Object.keys(files.environment)) Reflect.deleteProperty(process.env, name);
    });
    const network = await TestNetwork.start({ peerCount: 1 }, (made) => {
      made.configure(host, (config) => Object.assign(config, { module, moduleEnvironment }));
    });
    scope.teardown(() => network[Symbol.asyncDispose]());
    await network.deploy('counter', { code: await compiledContract('samples') });
    return new CrashingZone(network, files, control, await network.client('alice'));
  }

  /** Callers that keep on until each has its answer. */
  load(): { failed: Promise<never>; end(): Promise<void> } {
    const over = new AbortController();
    const call = async () => {
      while (!over.signal.aborted) {
        const jws = this.#alice.sign('counter', ['increment', keys[randomInt(keys.length)]!]);
        const answer = await persist(this.#network, jws);
        this.#answered.set(answer.requestId, { jws, answer });
      }
    };
    const calling = Promise.all(Array.from({ length: callers }, call));
    const failed = calling.then(() => new Promise<never>(() => {}));
    return {
      failed,
      end: async () => {
        over.abort();
        await calling;
      },
    };
  }

  /** Has a process end at a point, after some passes of it, and starts it again. */
  async strike(point: Point, passes: number): Promise<void> {
    const name = 'signature' in point || point.process !== 'manager.json' ? host : 'manager';
    const { processes } = this.#network;
    const pid = processes.pid(name) ?? 0;
    if ('signature' in point) this.#token.killParent('C_Sign', point.signature, passes);
    else this.#files.arm(point, passes);
    for (let waitedMs = 0; isAlive(pid); waitedMs += pollMs) {
      if (waitedMs > strikeWaitMsMax) throw new Error(`no process passes ${JSON.stringify(point)}`);
      await wait(pollMs);
    }
    await processes.kill(name);
    await processes.start(name);
  }

  async findings(): Promise<{ answered: number; blocks: number; wrong: string[] }> {
    const blocks = await managerBlocks(this.#network);
    const executions = blocks
      .flatMap(({ transactions }) => transactions)
      .filter(({ contract, validation }) => contract === 'counter' && validation === 'VALID')
      .flatMap(({ requests }) => requests ?? []);
    const executed = new Set(executions);
    const wrong: string[] = [];
    if (executed.size !== executions.length) wrong.push('a request was executed twice');
    const lost = [...this.#answered.keys()].filter((id) => !executed.has(id));
    if (lost.length > 0) wrong.push(`${lost.length} answered requests are not on the ledger`);
    wrong.push(...this.#slots(blocks));
    const counted = await this.#count();
    if (counted !== executions.length) wrong.push(`${counted} counted of ${executions.length}`);
    wrong.push(...(await this.#replays()));
    return { answered: this.#answered.size, blocks: blocks.length, wrong };
  }

  async #count(): Promise<number> {
    let counted = 0;
    for (const key of keys) {
      const { payloads } = answerOf(await this.#alice.post('counter', ['get', key]));
      counted += Number(payloads[0]?.text);
    }
    return counted;
  }

  /** Every request, posted as it was, is refused: nothing is executed again. */
  async #replays(): Promise<string[]> {
    const sent = [...this.#answered.values()].map(({ jws }) => jws);
    const codes = new Set<string>();
    for (let at = 0; at < sent.length; at += 500) {
      const lines = await this.#network.service.postMany(sent.slice(at, at + 500));
      for (const line of lines) codes.add(faultCode(line));
    }
    codes.delete('MANAGER_REQUEST_REPLAYED');
    // A long loop outlives the first of them.
    codes.delete('MANAGER_REQUEST_EXPIRED');
    return [...codes].map((code) => `a replay was answered with ${code}`);
  }

  /** One header for every height, in the guard's file as on the ledger. */
  #slots(blocks: readonly { number: number; headerHash: string }[]): string[] {
    const file = `${this.#network.network.layout.signerState('zone')}/blocks.guard`;
    const onLedger = new Set(blocks.map(({ number, headerHash }) => `${number} ${headerHash}`));
    const allowed = guardedHashes(file);
    const heights = new Set(allowed.map((one) => one.split(' ')[0]));
    const strangers = allowed.filter((one) => !onLedger.has(one));
    return [
      ...(heights.size === allowed.length ? [] : ['two headers of one height were allowed']),
      ...strangers.map((one) => `allowed and not on the ledger: ${one}`),
    ];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
