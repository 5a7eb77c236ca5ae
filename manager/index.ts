import { readFileSync } from 'node:fs';
import { systemClock, utf8 } from '#base';
import type { Clock, Log } from '#base';
import { SerializedIdentity, SignerClient, contractPolicy, lifecycleNamespace } from '#formats';
import type { Block } from '#formats';
import { openLedger } from '#ledger';
import type { Ledger } from '#ledger';
import { ConfigMemo, createValidator } from '#policy';
import type { ChannelConfig } from '#policy';
import { Admission } from './admission.ts';
import { BlockMaker } from './block-maker.ts';
import { chaincodeEventsMethod } from './chaincode-events.ts';
import { commitStatusMethod } from './commit-status.ts';
import { CommitWaits } from './commit-waits.ts';
import type { ManagerConfig } from './config.ts';
import { ordererService, peerDeliverService } from './deliver.ts';
import { EndorsementCollector } from './endorsement.ts';
import { EndorserPool } from './endorser-pool.ts';
import { fault } from './faults.ts';
import type { GrpcServices } from './grpc-call.ts';
import { buildGrpc } from './grpc-server.ts';
import { buildHttp } from './http.ts';
import type { ListenPlace } from './listen-place.ts';
import { WavePipeline } from './pipeline.ts';
import { readClientEnvelope } from './client-envelope.ts';
import { Submissions } from './submissions.ts';
import { Whitelist } from './whitelist.ts';
import { ZoneNodes } from './zone-nodes.ts';

export { ManagerConfig } from './config.ts';
export { readRegistry, updateRegistry } from './registry-file.ts';
export type { ClientEntry, ClientRegistry } from './registry-file.ts';

/** A manager that serves clients and peers; `close` stops it and everything it opened. */
export interface Manager extends AsyncDisposable {
  /** `deliver` is the zone's own gRPC endpoint; `organizations` has those of the organisations, by MSP id. */
  ports: { http: number; deliver: number; organizations: Record<string, number> };
  close(): Promise<void>;
}

export interface ManagerDeps {
  log: Log;
  genesis: Block;
  clock?: Clock;
  /** Hears of a failure after which the state is unknown; the process must stop. */
  onFatal: (error: unknown) => void;
}

/** What the parts of a manager share. */
interface Shared {
  config: ManagerConfig;
  clock: Clock;
  log: Log;
  ledger: Ledger;
  channelConfig: () => ChannelConfig;
}

/**
 * Opens the ledger, completes what a crash left, and serves clients over HTTP and peers over gRPC.
 *
 * @throws LEDGER_…, HSM_…, MANAGER_KEY_MISSING, MANAGER_ROUTING_INVALID, BASE_LINK_BROKEN when the
 *   zone's signer host is not there.
 */
export async function buildManager(config: ManagerConfig, deps: ManagerDeps): Promise<Manager> {
  const { log, clock = systemClock } = deps;
  const stack = new AsyncDisposableStack();
  const memo = new ConfigMemo();
  const validate = createValidator();
  const ledger = stack.use(
    await openLedger({
      dir: config.ledgerDir,
      log,
      validate: (block, lookups, configBlock) => validate(block, memo.of(configBlock), lookups),
    }),
  );
  if (ledger.height === 0n) await ledger.init(deps.genesis);
  const channelConfig = () => memo.of(ledger.configBlock);
  const shared: Shared = { config, clock, log, ledger, channelConfig };
  const { pipeline, stop } = await buildPipeline(shared, stack, deps.onFatal);
  const whitelist = new Whitelist({ file: config.registryFile, clock, log });
  const admission = new Admission({
    channelConfig,
    whitelist,
    ledger,
    isPending: (requestId) => pipeline.isPending(requestId),
    highSAllowed: config.highSAllowed,
    log,
  });
  const submissions = new Submissions({ admission, pipeline, clock });
  const http = stack.use(
    buildHttp({
      listen: placeOf(config.http),
      submissions,
      ledger,
      channelConfig,
      stages: () => pipeline.meter.totals(),
      clock,
      log,
    }),
  );
  const grpc = stack.use(
    buildGrpc({
      listen: placeOf(config.deliver),
      organizations: (config.organizations ?? []).map(({ mspid, listen }) => ({
        mspid,
        listen: placeOf(listen),
      })),
      services: buildServices(shared, stack.use(new CommitWaits(ledger))),
      log,
    }),
  );
  // Registered last, so that it is the first to happen: no wave runs while its ledger closes.
  stack.defer(stop);
  const httpPort = await http.listen();
  const { main, organizations } = await grpc.listen();
  const ports = { http: httpPort, deliver: main, organizations };
  const close = () => stack.disposeAsync();
  return { ports, close, [Symbol.asyncDispose]: close };
}

function buildServices(shared: Shared, commits: CommitWaits): GrpcServices {
  return {
    ...ordererService(shared),
    ...peerDeliverService(shared),
    'gateway.Gateway': {
      CommitStatus: commitStatusMethod({ ...shared, commits }),
      ChaincodeEvents: chaincodeEventsMethod(shared),
    },
  };
}

async function buildPipeline(
  { config, clock, log, ledger, channelConfig }: Shared,
  stack: AsyncDisposableStack,
  onFatal: (error: unknown) => void,
): Promise<{ pipeline: WavePipeline; stop: () => Promise<void> }> {
  checkRouting(config);
  const stopping = new AbortController();
  const signer = stack.use(new SignerClient(config.signer.socket));
  const keys = await signer.describe();
  const keyOf = (label: string) => {
    const found = keys.find((key) => key.label === label);
    if (found === undefined) throw fault('MANAGER_KEY_MISSING', { key: label });
    return found;
  };
  const blockMaker = new BlockMaker({
    ledger,
    signer,
    orderingKey: keyOf(config.signer.orderingKey),
    channel: channelConfig().channelId,
    log,
    signal: stopping.signal,
  });
  await blockMaker.recover();
  const pool = stack.use(new EndorserPool(config.endorsers, { ledger, clock, log }));
  await pool.refresh();
  const nodes = new ZoneNodes(config.nodes.map(nodeOf));
  const collector = new EndorsementCollector({
    pool,
    routing: config.routing,
    log,
    config: channelConfig,
    nodes: () => nodes.identities(channelConfig()),
  });
  const isNode = (serialized: Uint8Array) => nodes.has(serialized);
  const pipeline = new WavePipeline({
    readEnvelope: (envelope) =>
      readClientEnvelope(envelope, { config: channelConfig(), nowMs: clock.nowMs(), isNode }),
    channel: channelConfig().channelId,
    requestsPerBundleMax: config.bundle.requestsMax,
    ledger,
    collector,
    blockMaker,
    signer,
    relayKey: keyOf(config.signer.relayKey),
    policyOf: (contract) => policyOf(ledger, contract),
    announce: () => pool.announce(),
    onFatal,
    clock,
    log,
  });
  const stop = async () => {
    stopping.abort();
    await pipeline.stop();
  };
  return { pipeline, stop };
}

/** A preset order decides who endorses: one that names nobody would leave every request waiting. */
function checkRouting({ routing, endorsers }: ManagerConfig): void {
  if (routing.mode !== 'ordered') return;
  const names = (routing.order ?? []).flat();
  const unknown = names.find((name) => !endorsers.some((one) => one.name === name));
  if (names.length > 0 && unknown === undefined) return;
  throw fault('MANAGER_ROUTING_INVALID', { endorser: unknown });
}

function policyOf(ledger: Ledger, contract: string): Uint8Array {
  const policy = contractPolicy(contract, (key) => ledger.get(lifecycleNamespace, key)?.value);
  if (policy === undefined) throw fault('MANAGER_CONTRACT_UNKNOWN', { contract });
  return policy;
}

function nodeOf(node: ManagerConfig['nodes'][number]): { name: string; serialized: Uint8Array } {
  const pem = readFileSync(node.certificateFile, 'utf8');
  const serialized = SerializedIdentity.encode({ mspid: node.mspid, idBytes: utf8(pem) });
  return { name: node.name, serialized };
}

function placeOf(listen: ManagerConfig['http']): ListenPlace {
  const { host, port, tls } = listen;
  if (tls === undefined) return { host, port };
  return {
    host,
    port,
    tls: {
      certificate: readFileSync(tls.certificateFile, 'utf8'),
      privateKey: readFileSync(tls.keyFile, 'utf8'),
    },
  };
}
