import { SignerClient } from '#formats';
import type { NodeEndorsement, SignerKey } from '#formats';
import type { EndorserConfig } from './config.ts';
import { fault } from './faults.ts';

export interface HeldNode {
  name: string;
  /** msp.SerializedIdentity bytes. */
  serializedIdentity: Uint8Array;
  signer: SignerClient;
}

/** The nodes whose keys this endorser reaches, and how to have their endorsement made. */
export class HeldNodes implements Disposable {
  readonly #signers: { client: SignerClient; allowed: readonly string[] | undefined }[];
  #nodes = new Map<string, HeldNode>();

  constructor(signers: EndorserConfig['signers']) {
    this.#signers = signers.map(({ socket, nodes }) => ({
      client: new SignerClient(socket),
      allowed: nodes,
    }));
  }

  /** Asks every signer host for its keys; one that does not answer leaves its nodes out. */
  async refresh(): Promise<void> {
    const found = await Promise.all(
      this.#signers.map(async ({ client, allowed }) => {
        const keys = await client.describe();
        return keys
          .filter((key) => servesNode(key, allowed))
          .map(({ label, serializedIdentity }): [string, HeldNode] => [
            label,
            { name: label, serializedIdentity, signer: client },
          ]);
      }),
    );
    this.#nodes = new Map(found.flat());
  }

  get names(): string[] {
    return [...this.#nodes.keys()];
  }

  all(): HeldNode[] {
    return [...this.#nodes.values()];
  }

  /** @throws ENDORSER_NODE_UNKNOWN */
  pick(names: readonly string[]): HeldNode[] {
    return names.map((name) => {
      const node = this.#nodes.get(name);
      if (node === undefined) throw fault('ENDORSER_NODE_UNKNOWN', { node: name });
      return node;
    });
  }

  /**
   * One signature with the key of each node, the signer hosts side by side.
   *
   * @throws what a signer host throws (HSM_…, BASE_LINK_…).
   */
  async endorse(nodes: readonly HeldNode[], payload: Uint8Array): Promise<NodeEndorsement[]> {
    const bySigner = Map.groupBy(nodes, (node) => node.signer);
    const made = await Promise.all(
      [...bySigner].map(async ([signer, group]) => {
        const signatures = await signer.endorse(
          group.map((node) => ({ keyLabel: node.name, proposalResponsePayload: payload })),
        );
        return group.map((node, index) => ({
          node: node.name,
          endorsement: {
            endorser: node.serializedIdentity,
            signature: signatures[index] as Uint8Array,
          },
        }));
      }),
    );
    return made.flat();
  }

  [Symbol.dispose](): void {
    for (const { client } of this.#signers) client.close();
  }
}

function servesNode(key: SignerKey, allowed: readonly string[] | undefined): boolean {
  return key.role === 'node' && (allowed === undefined || allowed.includes(key.label));
}
