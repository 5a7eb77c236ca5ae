import { readFileSync } from 'node:fs';
import { Fault, utf8 } from '#base';
import type { Clock, Log } from '#base';
import {
  LedgerKeys,
  SerializedIdentity,
  SignerClient,
  lifecyclePolicy,
  versionLabel,
} from '#formats';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import { ApprovalKeys } from './approval-keys.ts';
import { BlockMaker } from './block-maker.ts';
import { BundleEndorsing } from './bundle-endorsing.ts';
import { readClientEnvelope } from './client-envelope.ts';
import type { ManagerConfig } from './config.ts';
import { ConfigUpdates } from './config-updates.ts';
import { ContractPolicies } from './contract-policies.ts';
import { EndorsementCollector } from './endorsement.ts';
import { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';
import { LifecycleEndorsers } from './lifecycle-endorsers.ts';
import { showNewestBlock } from './newest-signature.ts';
import { NodePlans } from './node-plans.ts';
import { WavePipeline } from './pipeline.ts';
import { ProposalOutbox } from './proposal-outbox.ts';
import { Proposals } from './proposals.ts';
import { WitnessPeers } from './witness-peers.ts';
import { ZoneNodes } from './zone-nodes.ts';

export interface TransactionPathParts {
  config: ManagerConfig;
  clock: Clock;
  log: Log;
  ledger: Ledger;
  channelConfig: () => ChannelConfig;
  /** Hears of a failure after which the state is unknown; the process must stop. */
  onFatal: (error: unknown) => void;
}

/** All that stands between a proposal or a request and its block. */
export interface TransactionPath {
  pipeline: WavePipeline;
  configUpdates: ConfigUpdates;
  approvalKeys: ApprovalKeys;
  proposals: Proposals;
  plans: NodePlans;
  /** protos.ApplicationPolicy bytes of a contract. @throws MANAGER_CONTRACT_UNKNOWN */
  policyOf: (contract: string) => Uint8Array;
  /** msp.SerializedIdentity of a node of the organisation; undefined when the zone has none. */
  nodeOf: (mspid: string) => Uint8Array | undefined;
  /** Asks the peers again what they have of this zone, because somebody knows more than the ledger. */
  askWitnesses: () => void;
  /** Ends after the wave that is under way. */
  stop: () => Promise<void>;
}

/**
 * Connects to signer host and endorsers, and completes the block that a crash left without signature.
 *
 * @param stack takes what is to be closed behind the caller.
 * @throws HSM_…, MANAGER_KEY_MISSING, MANAGER_ROUTING_INVALID, BASE_LINK_BROKEN
 */
export async function openTransactionPath(
  parts: TransactionPathParts,
  stack: AsyncDisposableStack,
): Promise<TransactionPath> {
  const { config, clock, log, ledger, channelConfig, onFatal } = parts;
  checkRouting(config);
  const stopping = new AbortController();
  const zone = await openZone(parts, stack, stopping.signal);
  const { signer, orderingKey, pool, collector, plans, policyOf } = zone;
  const endorsing = endorsingOf(parts, zone);
  const pipeline = new WavePipeline({
    ...endorsing,
    requestsPerBundleMax: config.bundle.requestsMax,
    blockMaker: zone.blockMaker,
    batchSize: () => channelConfig().batchSize,
    readEnvelope: (envelope) =>
      readClientEnvelope(envelope, {
        config: channelConfig(),
        nowMs: clock.nowMs(),
        isNode: zone.isNode,
      }),
    announce: () => pool.announce(),
    onFatal,
    log,
  });
  const approvalKeys = new ApprovalKeys({
    ledger,
    channelConfig,
    pipeline,
    makeEnvelope: () => new BundleEndorsing(endorsing, () => {}).approvalKeysEnvelope(),
    log,
  });
  const configUpdates = new ConfigUpdates({
    channelConfig,
    pipeline,
    signer,
    orderingKey,
    clock,
    log,
  });
  const outbox = new ProposalOutbox(pool);
  const proposals = new Proposals({ collector, outbox, plans, pool, policyOf });
  const stop = async () => {
    stopping.abort();
    await pipeline.stop();
  };
  const nodeOf = (mspid: string) =>
    [...zone.nodes().values()].find(({ identity }) => identity.mspid === mspid)?.identity
      .serialized;
  const askWitnesses = () => {
    zone.witnesses?.askAgain().catch((error: unknown) => {
      if (!(error instanceof Fault) || error.kind === 'fatal') onFatal(error);
      else log.warn({ code: error.code, ...error.detail }, 'peers could not be asked');
    });
  };
  const parted = { pipeline, configUpdates, approvalKeys, proposals, plans, policyOf, nodeOf };
  return { ...parted, askWitnesses, stop };
}

/** Signer host and endorsers, connected, with what is known of their keys and of the channel's policies. */
async function openZone(
  parts: TransactionPathParts,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
) {
  const { config, clock, log, ledger, channelConfig } = parts;
  const signer = stack.use(new SignerClient(config.signer.socket));
  const ledgerKeys = new LedgerKeys(ledger);
  const keyOf = await keysOf(signer, ledgerKeys);
  const orderingKey = keyOf(config.signer.orderingKey);
  const channel = channelConfig().channelId;
  const blockMaker = new BlockMaker({ ledger, signer, orderingKey, channel, log, signal });
  const witnesses = await hearWitnesses(parts, { signer, channel });
  await blockMaker.recover();
  const pool = stack.use(new EndorserPool(config.endorsers, { ledger, clock, log }));
  await pool.refresh();
  const zoneNodes = new ZoneNodes(config.nodes.map(configuredNode), ledgerKeys, log);
  const nodes = () => zoneNodes.identities(channelConfig());
  const endorserOf = (node: string, serialized: Uint8Array) =>
    zoneNodes.endorserOf(node, serialized, channelConfig());
  const { routing } = config;
  const policies = new ContractPolicies(ledger);
  return {
    signer,
    orderingKey,
    relayKey: keyOf(config.signer.relayKey),
    blockMaker,
    witnesses,
    pool,
    nodes,
    isNode: (serialized: Uint8Array) => zoneNodes.has(serialized),
    plans: new NodePlans({ config: channelConfig, nodes }),
    collector: new EndorsementCollector({ pool, routing, log, config: channelConfig, endorserOf }),
    policyOf: (contract: string) => policies.of(contract),
  };
}

/** Before anything is signed: what ledger and peers have of this zone, the guard must know. */
async function hearWitnesses(
  { config, clock, log, ledger }: TransactionPathParts,
  { signer, channel }: { signer: SignerClient; channel: string },
): Promise<WitnessPeers | undefined> {
  const shown = { signer, keyLabel: config.signer.orderingKey, channel, log };
  await showNewestBlock(shown, ledger);
  if (config.witness === undefined) return undefined;
  const witnesses = new WitnessPeers({ ...shown, config: config.witness, ledger, clock });
  await witnesses.ask();
  return witnesses;
}

/** What bundles are endorsed with. */
function endorsingOf(
  { clock, ledger, channelConfig }: TransactionPathParts,
  {
    signer,
    relayKey,
    pool,
    nodes,
    plans,
    collector,
    policyOf,
  }: Awaited<ReturnType<typeof openZone>>,
) {
  const lifecycle = { ledger, channelConfig, plans, nodes, lifecyclePolicy };
  return {
    channel: channelConfig().channelId,
    ledger,
    collector,
    pool,
    plans,
    lifecycleEndorsers: new LifecycleEndorsers(lifecycle),
    signer,
    relayKey,
    policyOf,
    clock,
  };
}

/** Of each key the version that the ledger says, which is the one the token began with at first. */
async function keysOf(signer: SignerClient, ledgerKeys: LedgerKeys) {
  const keys = await signer.describe();
  return (name: string) => {
    const found = keys.find((key) => key.label === name);
    if (found === undefined) throw fault('MANAGER_KEY_MISSING', { key: name });
    const { serializedIdentity } = found;
    const described = { label: versionLabel(name, found.version), serializedIdentity };
    return () => ledgerKeys.rotationOf(name)?.next ?? described;
  };
}

/** A preset order decides who endorses: one that names nobody would leave every request waiting. */
function checkRouting({ routing, endorsers }: ManagerConfig): void {
  if (routing.mode !== 'ordered') return;
  const names = (routing.order ?? []).flat();
  const unknown = names.find((name) => !endorsers.some((one) => one.name === name));
  if (names.length > 0 && unknown === undefined) return;
  throw fault('MANAGER_ROUTING_INVALID', { endorser: unknown });
}

function configuredNode(node: ManagerConfig['nodes'][number]): {
  name: string;
  serialized: Uint8Array;
} {
  const pem = readFileSync(node.certificateFile, 'utf8');
  const serialized = SerializedIdentity.encode({ mspid: node.mspid, idBytes: utf8(pem) });
  return { name: node.name, serialized };
}
