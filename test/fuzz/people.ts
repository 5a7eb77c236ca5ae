import { generateKeyPairSync, sign } from 'node:crypto';
import { utf8 } from '#base';
import { SerializedIdentity } from '#formats';
import type { Config, ConfigGroup, FabricMspConfig } from '#formats';
import { TestCa, epoch } from '../policy/test-ca.ts';
import type { IssueOptions, TestIdentity } from '../policy/test-ca.ts';
import { editMsp, editedConfig, groupAt, specOf, testOrg } from '../policy/test-channel.ts';
import type { TestNetwork, TestOrg } from '../policy/test-channel.ts';

/** Somebody who signs, as a channel may or may not know them. */
export interface Person {
  readonly mspid: string;
  /** The certificate as PEM. */
  readonly pem: string;
  /** DER; of ECDSA with low s. */
  sign(data: Uint8Array): Uint8Array;
}

/** msp.SerializedIdentity bytes. */
export function serializedOf({ mspid, pem }: Person): Uint8Array {
  return SerializedIdentity.encode({ mspid, idBytes: utf8(pem) });
}

/** The organisations of generated chains and everybody whose signature comes up in one. */
export class People {
  readonly zone: TestOrg;
  readonly orgs: readonly TestOrg[];
  readonly #byName: ReadonlyMap<string, Person>;
  readonly #lists: ReadonlyMap<string, MspChanges>;

  private constructor(
    zone: TestOrg,
    orgs: readonly TestOrg[],
    byName: ReadonlyMap<string, Person>,
    lists: ReadonlyMap<string, MspChanges>,
  ) {
    this.zone = zone;
    this.orgs = orgs;
    this.#byName = byName;
    this.#lists = lists;
  }

  static async meet(): Promise<People> {
    const zone = await testOrg('Zone');
    const byName = new Map(rolesOf('zone', zone));
    const orgs: TestOrg[] = [];
    const lists = new Map<string, MspChanges>();
    for (const number of [1, 2, 3, 4]) {
      const org = await testOrg(`Org${number}`);
      orgs.push(org);
      const { people, changes } = await othersOf(org);
      for (const [name, person] of [...rolesOf(`org${number}`, org), ...people]) {
        byName.set(name, person);
      }
      lists.set(org.name, changes);
    }
    const stranger = await testOrg('Org1');
    byName.set('stranger', of('Org1MSP', stranger.peer));
    byName.set('nobody', of('Org9MSP', stranger.peer));
    return new People(zone, orgs, byName, lists);
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** @throws Error for a name that nobody has. */
  get(name: string): Person {
    const person = this.#byName.get(name);
    if (person === undefined) throw new Error(`nobody is called ${name}`);
    return person;
  }

  /** PEM, one that revokes `revoked` and one that also revokes `peer2`. */
  revocationListsOf(orgName: string): readonly Uint8Array[] {
    return this.#lists.get(orgName)!.revocationLists;
  }

  /** The fourth organisation as it is on a new channel. */
  get fourthGroup(): ConfigGroup {
    const { channelGroup } = this.configOf(specOf(this.zone, this.orgs));
    return groupAt(channelGroup!, 'Application/Org4');
  }

  /** The configuration of a channel of theirs. */
  configOf(spec: TestNetwork['spec']): Config {
    return editedConfig(spec, (channel) => {
      for (const [name, { root, intermediate, revocationLists }] of this.#lists) {
        editMsp(groupAt(channel, `Application/${name}`), (msp: FabricMspConfig) => {
          msp.rootCerts.push(utf8(root));
          msp.intermediateCerts = [utf8(intermediate)];
          msp.revocationList = [revocationLists[0]!];
          // One provider of the kind that knows members and administrators only.
          if (name !== 'Org4') return;
          msp.fabricNodeOus = undefined;
          msp.admins = [utf8(this.orgs[3]!.admin.pem)];
        });
      }
    });
  }
}

interface MspChanges {
  readonly root: string;
  readonly intermediate: string;
  readonly revocationLists: readonly Uint8Array[];
}

const of = (mspid: string, identity: TestIdentity): Person => ({
  mspid,
  pem: identity.pem,
  sign: (data) => identity.sign(data),
});

function rolesOf(prefix: string, org: TestOrg): [string, Person][] {
  return (['peer', 'admin', 'client', 'orderer'] as const).map((role) => [
    `${prefix}.${role}`,
    of(org.mspid, org[role]),
  ]);
}

async function othersOf(org: TestOrg) {
  const { ca, mspid, name } = org;
  const year = 365 * 24 * 3600 * 1000;
  // Nobody whose authority has authorities below it is a member, so there is a second root for them.
  const root = await TestCa.root(`second ca.${name}`);
  const intermediate = await root.intermediate(`ca below ${name}`);
  const peers: Record<string, IssueOptions> = {
    peer2: {},
    p384: { curve: 'P-384' },
    expired: { notBefore: epoch, notAfter: new Date(epoch.getTime() + year) },
    future: { notBefore: new Date(epoch.getTime() + 10 * year) },
    old: { notBefore: new Date(epoch.getTime() - year) },
    unitless: { units: [] },
    manyfold: { units: ['peer', 'client'] },
    revoked: {},
  };
  const people = new Map<string, Person>();
  const prefix = name.toLowerCase();
  let revoked: TestIdentity | undefined;
  let second: TestIdentity | undefined;
  for (const [kind, options] of Object.entries(peers)) {
    const identity = await ca.issue(`${kind}.${name}`, { units: ['peer'], ...options });
    if (kind === 'revoked') revoked = identity;
    if (kind === 'peer2') second = identity;
    people.set(`${prefix}.${kind}`, of(mspid, identity));
  }
  const below = await intermediate.issue(`below.${name}`, { units: ['peer', 'department'] });
  people.set(`${prefix}.below`, of(mspid, below));
  const above = await root.issue(`above.${name}`, { units: ['peer'] });
  people.set(`${prefix}.above`, of(mspid, above));
  for (const kind of ['rsa', 'ed25519'] as const) {
    people.set(`${prefix}.${kind}`, await withKey(kind, ca, mspid));
  }
  const changes = {
    root: root.pem,
    intermediate: intermediate.pem,
    revocationLists: [await ca.crl(revoked!), await ca.crl(revoked!, second!)],
  };
  return { people, changes };
}

/** A peer with a key of a kind that Fabric does not sign with. */
async function withKey(kind: 'rsa' | 'ed25519', ca: TestCa, mspid: string): Promise<Person> {
  const keyPair =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync(kind);
  const identity = await ca.issue(`${kind} key`, { units: ['peer'], keyPair });
  const digest = kind === 'rsa' ? 'sha256' : null;
  return {
    mspid,
    pem: identity.pem,
    sign: (data) => new Uint8Array(sign(digest, data, keyPair.privateKey)),
  };
}
