import { Fault } from '#base';
import type { Log } from '#base';
import { SignerClient, versionLabel } from '#formats';
import type { LedgerKeys, NodeEndorsement, SignerKey } from '#formats';
import type { EndorserConfig } from './config.ts';
import { fault } from './faults.ts';

/** The version of a node's key that endorses now. */
export interface NodeKey {
  /** In its token. */
  label: string;
  /** msp.SerializedIdentity bytes. */
  serializedIdentity: Uint8Array;
}

export interface HeldNode {
  name: string;
  mspid: string;
  signer: SignerClient;
  /** Its token was away when its signer host was last asked. */
  isDown: boolean;
  /** What the ledger says now; to be asked once for a signature and its identity. */
  key: () => NodeKey;
}

/** The nodes whose keys this endorser reaches, and how to have their endorsement made. */
export class HeldNodes implements Disposable {
  readonly #signers: { client: SignerClient; allowed: readonly string[] | undefined }[];
  readonly #log: Log;
  readonly #ledgerKeys: Pick<LedgerKeys, 'rotationOf'>;
  #nodes = new Map<string, HeldNode>();
  #isComplete = false;

  constructor(
    signers: EndorserConfig['signers'],
    log: Log,
    ledgerKeys: Pick<LedgerKeys, 'rotationOf'>,
  ) {
    this.#log = log;
    this.#ledgerKeys = ledgerKeys;
    this.#signers = signers.map(({ socket, nodes }) => ({
      client: new SignerClient(socket),
      allowed: nodes,
    }));
  }

  /** Asks every signer host for its keys; one that does not answer leaves its nodes out. */
  async refresh(): Promise<void> {
    let isComplete = true;
    const found = await Promise.all(
      this.#signers.map(async ({ client, allowed }) => {
        try {
          return this.#nodesOf(client, await client.describe(), allowed);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          isComplete = false;
          this.#log.warn({ code: error.code, ...error.detail }, 'a signer host does not answer');
          return [];
        }
      }),
    );
    this.#nodes = new Map(found.flat());
    this.#isComplete = isComplete && this.names.length === this.#nodes.size;
  }

  /** Whether every signer host has said which keys it holds, and all of them sign; if not, ask again later. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Names of those that can endorse now. */
  get names(): string[] {
    return this.all().map(({ name }) => name);
  }

  /** Those that can endorse now. */
  all(): HeldNode[] {
    return [...this.#nodes.values()].filter(({ isDown }) => !isDown);
  }

  /**
   * Those of these names, whether they can endorse or not: that is for their hosts to say.
   *
   * @throws ENDORSER_NODE_UNKNOWN
   */
  pick(names: readonly string[]): HeldNode[] {
    return names.map((name) => {
      const node = this.#nodes.get(name);
      if (node === undefined) throw fault('ENDORSER_NODE_UNKNOWN', { node: name });
      return node;
    });
  }

  /**
   * One signature with the key of each node, the signer hosts side by side. The nodes of a host that
   * fails are left out: the manager may find others that satisfy the policy.
   *
   * @throws what a signer host throws (HSM_…, BASE_LINK_…) unless it is only away.
   */
  async endorse(nodes: readonly HeldNode[], payload: Uint8Array): Promise<NodeEndorsement[]> {
    const bySigner = Map.groupBy(nodes, (node) => node.signer);
    const failures: Fault[] = [];
    const made = await Promise.all(
      [...bySigner].map(async ([signer, group]) => {
        try {
          return await endorseGroup(signer, group, payload);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          if (error.kind === 'busy') this.#isComplete = false;
          else failures.push(error);
          const facts = { code: error.code, nodes: group.map((node) => node.name) };
          this.#log.warn(facts, 'a signer host did not endorse');
          return [];
        }
      }),
    );
    const endorsements = made.flat();
    const [first] = failures;
    if (first !== undefined && endorsements.length === 0) throw first;
    return endorsements;
  }

  #nodesOf(
    signer: SignerClient,
    keys: readonly SignerKey[],
    allowed: readonly string[] | undefined,
  ): [string, HeldNode][] {
    return keys
      .filter((key) => servesNode(key, allowed))
      .map((described) => {
        const { label: name, mspid, faultCode } = described;
        const key = () => this.#ledgerKeys.rotationOf(name)?.next ?? describedKey(described);
        return [name, { name, mspid, signer, isDown: faultCode !== '', key }];
      });
  }

  [Symbol.dispose](): void {
    for (const { client } of this.#signers) client.close();
  }
}

async function endorseGroup(
  signer: SignerClient,
  group: readonly HeldNode[],
  payload: Uint8Array,
): Promise<NodeEndorsement[]> {
  const keys = group.map((node) => node.key());
  const signatures = await signer.endorse(
    keys.map(({ label }) => ({ keyLabel: label, proposalResponsePayload: payload })),
  );
  return group.map((node, index) => ({
    node: node.name,
    endorsement: {
      endorser: (keys[index] as NodeKey).serializedIdentity,
      signature: signatures[index] as Uint8Array,
    },
  }));
}

function describedKey({ label, version, serializedIdentity }: SignerKey): NodeKey {
  return { label: versionLabel(label, version), serializedIdentity };
}

function servesNode(key: SignerKey, allowed: readonly string[] | undefined): boolean {
  return key.role === 'node' && (allowed === undefined || allowed.includes(key.label));
}
