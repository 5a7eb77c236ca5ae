import { writeFileSync } from 'node:fs';
import type { MadeOrganisation, NetworkPorts } from './network-create.ts';
import type { NetworkLayout } from './network-layout.ts';
import { identityNames, keyLabels } from './network-spec.ts';
import type { NetworkSpec } from './network-spec.ts';

export interface MadeNetwork {
  layout: NetworkLayout;
  spec: NetworkSpec;
  organisations: MadeOrganisation[];
  zone: MadeOrganisation;
  ports: NetworkPorts;
}

/** One configuration file per process; each process reads its own and no other. */
export function writeProcessConfigs(network: MadeNetwork): void {
  const { layout, spec, organisations, zone } = network;
  const write = (name: string, config: unknown) =>
    writeFileSync(layout.config(name), `${JSON.stringify(config, undefined, 2)}\n`, {
      mode: 0o600,
    });
  for (const org of organisations) {
    write(
      signerName(org),
      signerConfig(network, org, [{ label: keyLabels.node(org.name), role: 'node' }]),
    );
  }
  write(
    signerName(zone),
    signerConfig(network, zone, [
      { label: keyLabels.ordering(zone.name), role: 'ordering', channels: [spec.channel] },
      { label: keyLabels.relay(zone.name), role: 'relay' },
      { label: keyLabels.attestation(zone.name), role: 'attestation' },
    ]),
  );
  for (const name of endorserNames(spec)) write(name, endorserConfig(network, name));
  write('manager', managerConfig(network));
  for (let index = 0; index < spec.peerCount; index += 1) {
    write(`peer-${index + 1}`, peerConfig(network, index));
  }
}

function signerName(org: { name: string }): string {
  return `signer-${org.name}`;
}

function reportName(org: { name: string }): string {
  return `report-${org.name}`;
}

function endorserNames(spec: NetworkSpec): string[] {
  return Array.from({ length: spec.endorserCount }, (_none, index) => `endorser-${index + 1}`);
}

function signerConfig(
  { layout, spec, zone }: MadeNetwork,
  org: MadeOrganisation,
  keys: readonly { label: string; role: string; channels?: string[] }[],
): unknown {
  const { module, softhsmConfig, tokenLabel, pinFile } = org.token;
  return {
    socket: layout.socket(signerName(org)),
    reportSocket: layout.socket(reportName(org)),
    stateDir: layout.signerState(org.name),
    module,
    softhsmConfig,
    tokenLabel,
    pinFile,
    custody: {
      operatorPolicyFile: layout.operatorPolicy(org.name),
      auditDir: layout.signerState(org.name),
      adminSocket: layout.adminSocket(org.name),
    },
    ledger: {
      channel: spec.channel,
      mspid: zone.mspid,
      caFile: layout.caCertificate(zone.name),
    },
    keys: keys.map((key) => ({
      ...key,
      mspid: org.mspid,
      certificateFile: layout.keyCertificate(key.label),
      caFile: layout.caCertificate(org.name),
    })),
  };
}

/**
 * With replicated keys every endorser reaches every signer host; with partitioned ones each
 * organisation's host is one endorser's alone.
 */
function endorserConfig({ layout, spec, organisations }: MadeNetwork, name: string): unknown {
  const names = endorserNames(spec);
  const reached = organisations.filter(
    (_org, index) => spec.routing !== 'partitioned' || names[index % names.length] === name,
  );
  return {
    name,
    socket: layout.socket(name),
    ledgerDir: layout.ledger(name),
    genesisFile: layout.genesisFile,
    signers: reached.map((org) => ({ socket: layout.socket(signerName(org)) })),
  };
}

function managerConfig({ layout, spec, organisations, zone, ports }: MadeNetwork): unknown {
  const { certificateFile, keyFile } = layout.tls('manager');
  const listen = (port: number) => ({
    host: '127.0.0.1',
    port,
    tls: { certificateFile, keyFile },
  });
  const names = endorserNames(spec);
  return {
    ledgerDir: layout.ledger('manager'),
    genesisFile: layout.genesisFile,
    registryFile: layout.registryFile,
    http: listen(ports.http),
    deliver: listen(ports.deliver),
    organizations: organisations.map(({ mspid }) => ({
      mspid,
      listen: listen(ports.organizations[mspid] ?? 0),
    })),
    signer: {
      socket: layout.socket(signerName(zone)),
      orderingKey: keyLabels.ordering(zone.name),
      relayKey: keyLabels.relay(zone.name),
    },
    signerReports: [...organisations, zone].map((org) => layout.socket(reportName(org))),
    endorsers: names.map((name) => ({ name, socket: layout.socket(name) })),
    nodes: organisations.map(({ name, mspid }) => ({
      name: keyLabels.node(name),
      mspid,
      certificateFile: layout.keyCertificate(keyLabels.node(name)),
    })),
    routing: {
      mode: spec.routing,
      ...(spec.routing === 'ordered' ? { order: names.map((name) => [name]) } : {}),
    },
    bundle: { requestsMax: spec.requestsPerBundleMax },
    ...(ports.peers.length > 0 && {
      witness: { peers: ports.peers.map((port) => ({ url: `http://127.0.0.1:${port}` })) },
    }),
    portsFile: layout.portsFile,
  };
}

function peerConfig({ layout, organisations, ports }: MadeNetwork, index: number): unknown {
  const org = organisations[index % organisations.length] as MadeOrganisation;
  const name = `peer-${index + 1}`;
  const { certificateFile, keyFile } = layout.identity(identityNames.transport(org.name));
  return {
    name,
    ledgerDir: layout.ledger(name),
    genesisFile: layout.genesisFile,
    // By name: TLS knows no addresses as server names, and the genesis block says this name too.
    deliver: { host: 'localhost', port: ports.deliver, caFile: layout.tls('manager').caFile },
    identity: { mspid: org.mspid, certificateFile, keyFile },
    http: { host: '127.0.0.1', port: ports.peers[index] ?? 0 },
    portsFile: layout.peerPortsFile(name),
  };
}
