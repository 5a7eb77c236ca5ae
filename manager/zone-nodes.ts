import type { ChannelConfig, NodeIdentity } from '#policy';

/**
 * The nodes of the zone as identities of the channel. The manager knows them from its own
 * configuration, so that an endorser cannot pass off another key as a node's.
 */
export class ZoneNodes {
  readonly #serialized: readonly { name: string; serialized: Uint8Array }[];
  #config: ChannelConfig | undefined;
  #identities: ReadonlyMap<string, NodeIdentity> = new Map();

  readonly #known: ReadonlySet<string>;

  constructor(nodes: readonly { name: string; serialized: Uint8Array }[]) {
    this.#serialized = nodes;
    this.#known = new Set(nodes.map(({ serialized }) => latin1(serialized)));
  }

  /** Whether the bytes are the msp.SerializedIdentity of a node. */
  has(serialized: Uint8Array): boolean {
    return this.#known.has(latin1(serialized));
  }

  /** @throws POLICY_IDENTITY_INVALID, POLICY_MSP_UNKNOWN when a node is none of the channel's. */
  identities(config: ChannelConfig): ReadonlyMap<string, NodeIdentity> {
    if (this.#config !== config) {
      this.#identities = new Map(
        this.#serialized.map(({ name, serialized }) => [
          name,
          { name, identity: config.identity(serialized) },
        ]),
      );
      this.#config = config;
    }
    return this.#identities;
  }
}

/** Text is the cheapest key of a look-up by bytes. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
