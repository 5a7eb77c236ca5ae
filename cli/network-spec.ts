/** What `network create` makes: a small network for development, of the real parts. */
export interface NetworkSpec {
  channel: string;
  organisations: OrganisationSpec[];
  zone: { name: string; mspid: string };
  routing: 'partitioned' | 'replicated' | 'ordered';
  requestsPerBundleMax: number;
  endorserCount: number;
  /** How many countersign peers; the first belongs to the first organisation, and so on. */
  peerCount: number;
}

export interface OrganisationSpec {
  /** Lower-case; names its token, directories and keys. */
  name: string;
  mspid: string;
}

export const defaultNetwork: NetworkSpec = {
  channel: 'main',
  organisations: [
    { name: 'org1', mspid: 'Org1MSP' },
    { name: 'org2', mspid: 'Org2MSP' },
    { name: 'org3', mspid: 'Org3MSP' },
  ],
  zone: { name: 'zone', mspid: 'ZoneMSP' },
  routing: 'replicated',
  requestsPerBundleMax: 500,
  endorserCount: 2,
  peerCount: 2,
};

/** Labels of the keys in the tokens. */
export const keyLabels = {
  node: (orgName: string) => `node0.${orgName}`,
  ordering: (zoneName: string) => `ordering0.${zoneName}`,
  relay: (zoneName: string) => `relay0.${zoneName}`,
  attestation: (zoneName: string) => `attestation0.${zoneName}`,
} as const;

/** Names of the people and nodes outside the zone that `network create` makes identities for. */
export const identityNames = {
  admin: (orgName: string) => `admin@${orgName}`,
  transport: (orgName: string) => `transport@${orgName}`,
} as const;
