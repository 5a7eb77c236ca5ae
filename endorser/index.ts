import { systemClock, limits, serveLink } from '#base';
import type { Clock, LinkServer, Log } from '#base';
import {
  Block,
  BlockBatch,
  EndorseOutcomes,
  EndorseTasks,
  EndorserStatus,
  LedgerKeys,
  ProposalOutcomes,
  ProposalTasks,
  contractPolicy,
  endorserMethods,
  lifecycleNamespace,
} from '#formats';
import { openLedger } from '#ledger';
import type { Ledger } from '#ledger';
import { ConfigMemo, createValidator, planEndorsement } from '#policy';
import type { ChannelConfig } from '#policy';
import type { EndorserConfig } from './config.ts';
import { CpuMeter } from './cpu-meter.ts';
import { endorseTask } from './endorse-task.ts';
import { fault } from './faults.ts';
import { HeldNodes } from './nodes.ts';
import type { HeldNode } from './nodes.ts';
import { endorseProposals } from './proposal-endorsing.ts';
import { RequestVerifier } from './request-verifier.ts';
import { SimulationPool } from './simulation-pool.ts';

export { EndorserConfig } from './config.ts';

/** An endorser that serves its socket; `close` stops it and everything it opened. */
export interface Endorser extends AsyncDisposable {
  close(): Promise<void>;
}

/**
 * Opens the endorser's copy of the ledger, starts its simulation workers and serves the manager.
 *
 * @throws LEDGER_… when the copy cannot be opened.
 */
export async function buildEndorser(
  config: EndorserConfig,
  deps: { log: Log; genesis: Block; clock?: Clock },
): Promise<Endorser> {
  const { log, genesis, clock = systemClock } = deps;
  const memo = new ConfigMemo();
  const validate = createValidator();
  const ledger = await openLedger({
    dir: config.ledgerDir,
    log,
    validate: (block, lookups, configBlock) => validate(block, memo.of(configBlock), lookups),
    keepsProofs: false,
  });
  if (ledger.height === 0n) await ledger.init(genesis);
  const nodes = new HeldNodes(config.signers, log, new LedgerKeys(ledger));
  await nodes.refresh();
  const { ledgerDir, simulationWorkers: workerCount } = config;
  const simulations = new SimulationPool({ ledgerDir, ledger, workerCount, log });
  const service = new EndorserService({ ledger, memo, nodes, simulations, clock, log });
  const server: LinkServer = await serveLink(
    config.socket,
    (method, payload) => service.answer(method, payload),
    (error) => log.error({ err: error }, 'a call failed inside'),
  );
  const close = async () => {
    await server.close();
    await simulations.close();
    nodes[Symbol.dispose]();
    await ledger[Symbol.asyncDispose]();
  };
  return { close, [Symbol.asyncDispose]: close };
}

interface ServiceParts {
  ledger: Ledger;
  memo: ConfigMemo;
  nodes: HeldNodes;
  simulations: SimulationPool;
  clock: Clock;
  log: Log;
}

class EndorserService {
  readonly #parts: ServiceParts;
  readonly #verifier = new RequestVerifier();
  readonly #cpu = new CpuMeter();
  /** Blocks are applied one after the other, whatever the calls do. */
  #applying: Promise<unknown> = Promise.resolve();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  answer(method: number, payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    switch (method) {
      case endorserMethods.status:
        return this.#status();
      case endorserMethods.applyBlocks:
        return this.#applyBlocks(BlockBatch.decodeCanonical(payload).blocks);
      case endorserMethods.endorse:
        return this.#endorse(EndorseTasks.decodeCanonical(payload));
      case endorserMethods.endorseProposals:
        return this.#endorseProposals(ProposalTasks.decodeCanonical(payload));
      default:
        throw fault('ENDORSER_TASK_INVALID', { what: 'method', method });
    }
  }

  #channelConfig(): ChannelConfig {
    return this.#parts.memo.of(this.#parts.ledger.configBlock);
  }

  async #status(): Promise<Uint8Array> {
    const { ledger, nodes, simulations } = this.#parts;
    if (!nodes.isComplete) await nodes.refresh();
    return EndorserStatus.encode({
      height: ledger.height,
      tasksWaiting: simulations.jobsWaiting,
      cpuPercent: this.#cpu.percent(),
      nodes: nodes.names,
    });
  }

  async #applyBlocks(blocks: readonly Uint8Array[]): Promise<Uint8Array> {
    const applied = this.#applying.then(async () => {
      for (const bytes of blocks) await this.#apply(Block.decode(bytes));
    });
    // The chain goes on after a refused block; the caller alone hears of the refusal.
    this.#applying = applied.catch(() => {});
    await applied;
    return this.#status();
  }

  async #apply(block: Block): Promise<void> {
    const { ledger } = this.#parts;
    const number = block.header?.number ?? 0n;
    // A manager that lost the answer sends a block again; what is applied is simply skipped.
    if (number < ledger.height) return;
    if (!this.#channelConfig().verifyBlockSignature(block)) {
      throw fault('ENDORSER_BLOCK_REFUSED', { number });
    }
    await ledger.commit(block);
  }

  async #waitFor(height: bigint): Promise<void> {
    const { ledger } = this.#parts;
    if (ledger.height >= height) return;
    const patience = AbortSignal.timeout(limits.endorseWaitMsMax / 2);
    await ledger.waitForHeight(height, patience).catch((error: unknown) => {
      if (error !== patience.reason) throw error;
    });
  }

  async #endorseProposals({ heightMin, tasks }: ProposalTasks): Promise<Uint8Array> {
    const { ledger, simulations, clock, log } = this.#parts;
    await this.#waitFor(heightMin);
    const outcomes = await endorseProposals(tasks, {
      config: this.#channelConfig(),
      heightMin,
      clock,
      simulations,
      hasTransaction: (txId) => ledger.hasTransaction(txId),
      nodesFor: (contract, targets) => this.#nodesFor(contract, targets),
      log,
    });
    return ProposalOutcomes.encode({ outcomes });
  }

  async #endorse({ height, tasks }: EndorseTasks): Promise<Uint8Array> {
    const { ledger, nodes, simulations, clock } = this.#parts;
    await this.#waitFor(height);
    if (ledger.height !== height) {
      throw fault('ENDORSER_HEIGHT_BEHIND', { height: ledger.height, wanted: height });
    }
    const outcomes = await Promise.all(
      tasks.map((task) =>
        endorseTask(task, {
          config: this.#channelConfig(),
          height,
          clock,
          verifier: this.#verifier,
          simulations,
          wasExecuted: (requestId) => ledger.hasRequest(requestId),
          nodesFor: (contract, targets) => this.#nodesFor(contract, targets),
          endorse: (chosen, payload) => nodes.endorse(chosen, payload),
        }),
      ),
    );
    return EndorseOutcomes.encode({ outcomes });
  }

  #nodesFor(contract: string, targetNodes: readonly string[]): HeldNode[] {
    const { ledger, nodes } = this.#parts;
    if (targetNodes.length > 0) return nodes.pick(targetNodes);
    const policy = contractPolicy(contract, (key) => ledger.get(lifecycleNamespace, key)?.value);
    if (policy === undefined) throw fault('ENDORSER_CONTRACT_UNKNOWN', { contract });
    const config = this.#channelConfig();
    // A node whose certificate was revoked must not keep the others from endorsing.
    const candidates = nodes.all().flatMap(({ name, key }) => {
      const identity = config.findMember(key().serializedIdentity);
      return identity === undefined ? [] : [{ name, identity }];
    });
    const [smallest] = planEndorsement(config, policy, candidates);
    if (smallest === undefined) throw fault('ENDORSER_POLICY_UNREACHABLE', { contract });
    return nodes.pick(smallest);
  }
}
