import type { Log } from '#base';
import type { ChannelConfig, NodeIdentity } from '#policy';

/**
 * The nodes of the zone as identities of the channel. The manager knows them from its own
 * configuration, so that an endorser cannot pass off another key as a node's.
 */
export class ZoneNodes {
  readonly #serialized: readonly { name: string; serialized: Uint8Array }[];
  readonly #log: Log;
  #config: ChannelConfig | undefined;
  #identities: ReadonlyMap<string, NodeIdentity> = new Map();

  readonly #known: ReadonlySet<string>;

  constructor(nodes: readonly { name: string; serialized: Uint8Array }[], log: Log) {
    this.#serialized = nodes;
    this.#log = log;
    this.#known = new Set(nodes.map(({ serialized }) => latin1(serialized)));
  }

  /** Whether the bytes are the msp.SerializedIdentity of a node. */
  has(serialized: Uint8Array): boolean {
    return this.#known.has(latin1(serialized));
  }

  /**
   * By name, without those that the configuration does not take: a node whose certificate was
   * revoked must not keep the others from endorsing.
   */
  identities(config: ChannelConfig): ReadonlyMap<string, NodeIdentity> {
    if (this.#config !== config) {
      this.#identities = new Map(this.#valid(config).map((node) => [node.name, node]));
      this.#config = config;
    }
    return this.#identities;
  }

  #valid(config: ChannelConfig): NodeIdentity[] {
    return this.#serialized.flatMap(({ name, serialized }) => {
      const identity = config.findMember(serialized);
      if (identity !== undefined) return [{ name, identity }];
      this.#log.warn({ node: name }, 'the channel does not take a node for a member any more');
      return [];
    });
  }
}

/** Text is the cheapest key of a look-up by bytes. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
