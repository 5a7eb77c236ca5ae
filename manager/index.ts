import { systemClock } from '#base';
import type { Clock, Log } from '#base';
import type { Block } from '#formats';
import { openLedger } from '#ledger';
import type { Ledger } from '#ledger';
import { ConfigMemo, createValidator } from '#policy';
import type { ChannelConfig } from '#policy';
import { Admission } from './admission.ts';
import { broadcastMethod } from './broadcast.ts';
import { chaincodeEventsMethod } from './chaincode-events.ts';
import { commitStatusMethod } from './commit-status.ts';
import { CommitWaits } from './commit-waits.ts';
import type { ManagerConfig } from './config.ts';
import { ordererService, peerDeliverService } from './deliver.ts';
import { endorseMethod, evaluateMethod } from './gateway-proposals.ts';
import { submitMethod } from './gateway-submit.ts';
import type { GrpcServices } from './grpc-call.ts';
import { buildGrpc } from './grpc-server.ts';
import type { GrpcServer } from './grpc-server.ts';
import { buildHttp } from './http.ts';
import type { HttpService } from './http.ts';
import { InstalledPackages } from './installed-packages.ts';
import type { ListenPlace, TlsPair } from './listen-place.ts';
import { processProposalMethod } from './process-proposal.ts';
import { Submissions } from './submissions.ts';
import { openTransactionPath } from './transaction-path.ts';
import type { TransactionPath } from './transaction-path.ts';
import { TlsWatch, readTlsFiles } from './tls-files.ts';
import type { TlsFiles } from './tls-files.ts';
import { Whitelist } from './whitelist.ts';
import type { TlsPlace } from './tls-metrics.ts';
import { ZoneMetrics } from './zone-metrics.ts';

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
  onAhead: (wanted: bigint) => void;
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
  let ahead = 0;
  const onAhead = (wanted: bigint) => {
    ahead += 1;
    log.warn({ wanted, height: ledger.height }, 'a reader knows blocks that the ledger lacks');
    path.askWitnesses();
  };
  const shared: Shared = { config, clock, log, ledger, channelConfig, onAhead };
  const path = await openTransactionPath({ ...shared, onFatal: deps.onFatal }, stack);
  const { pipeline, stop } = path;
  const whitelist = new Whitelist({ file: config.registryFile, clock, log });
  const admission = new Admission({
    channelConfig,
    whitelist,
    ledger,
    isPending: (requestId) => pipeline.isPending(requestId),
    highSAllowed: config.highSAllowed,
    log,
  });
  const submissions = new Submissions({
    admission,
    pipeline,
    clock,
    prepareLifecycle: () => path.approvalKeys.ensure(),
  });
  const stages = () => pipeline.meter.totals();
  const open = () => grpc.open;
  const told = { ledger, stages, open, ahead: () => ahead, tls: tlsOf(config), clock };
  const metrics = stack.use(new ZoneMetrics(config.signerReports ?? [], told));
  const http = stack.use(
    buildHttp({
      listen: placeOf(config.http),
      submissions,
      ledger,
      channelConfig,
      stages,
      metrics: () => metrics.text(),
      clock,
      log,
    }),
  );
  const grpc = stack.use(
    buildGrpc({
      ...grpcPlaces(config),
      services: buildServices(shared, path, stack.use(new CommitWaits(ledger))),
      log,
    }),
  );
  stack.use(followTls(config, { http, grpc }, log));
  // Registered last, so that it is the first to happen: no wave runs while its ledger closes.
  stack.defer(stop);
  const httpPort = await http.listen();
  const { main, organizations } = await grpc.listen();
  const ports = { http: httpPort, deliver: main, organizations };
  const close = () => stack.disposeAsync();
  return { ports, close, [Symbol.asyncDispose]: close };
}

function buildServices(shared: Shared, path: TransactionPath, commits: CommitWaits): GrpcServices {
  return {
    ...ordererService(shared, broadcastMethod({ ...shared, ...path })),
    ...peerDeliverService(shared),
    'protos.Endorser': { ProcessProposal: processProposalMethod(proposalParts(shared, path)) },
    'gateway.Gateway': {
      Evaluate: evaluateMethod({ ...shared, ...path }),
      Endorse: endorseMethod({ ...shared, ...path }),
      Submit: submitMethod({ ...shared, ...path }),
      CommitStatus: commitStatusMethod({ ...shared, commits }),
      ChaincodeEvents: chaincodeEventsMethod(shared),
    },
  };
}

function proposalParts(shared: Shared, path: TransactionPath) {
  const { packagesDir = `${shared.config.ledgerDir}-packages` } = shared.config;
  return {
    ...shared,
    ...path,
    packages: new InstalledPackages(packagesDir),
    ensureApprovalKeys: () => path.approvalKeys.ensure(),
  };
}

function placeOf(listen: ManagerConfig['http']): ListenPlace {
  const { host, port, tls } = listen;
  return tls === undefined ? { host, port } : { host, port, tls: readTlsFiles(tls) };
}

function grpcPlaces({ deliver, organizations = [] }: ManagerConfig) {
  return {
    listen: placeOf(deliver),
    organizations: organizations.map(({ mspid, listen }) => ({ mspid, listen: placeOf(listen) })),
  };
}

/** Lets each endpoint follow its certificate's files. */
function followTls(
  { http, deliver, organizations = [] }: ManagerConfig,
  services: { http: HttpService; grpc: GrpcServer },
  log: Log,
): Disposable {
  const stack = new DisposableStack();
  const follow = (files: TlsFiles, use: (tls: TlsPair) => void) =>
    stack.use(new TlsWatch(files, use, log));
  if (http.tls !== undefined) follow(http.tls, (tls) => services.http.useTls(tls));
  follow(deliver.tls, (tls) => services.grpc.useTls(tls));
  for (const { mspid, listen } of organizations) {
    follow(listen.tls, (tls) => services.grpc.useTls(tls, mspid));
  }
  return stack;
}

function tlsOf({ http, deliver, organizations }: ManagerConfig): TlsPlace[] {
  const places = [
    { name: 'http', tls: http.tls },
    { name: 'grpc', tls: deliver.tls },
    ...(organizations ?? []).map(({ mspid, listen }) => ({ name: mspid, tls: listen.tls })),
  ];
  return places.flatMap(({ name, tls }) =>
    tls === undefined ? [] : [{ name, certificateFile: tls.certificateFile }],
  );
}
