import { equalBytes, latin1Of } from '#base';
import type { Log } from '#base';
import type { LedgerKeys } from '#formats';
import type { ChannelConfig, Identity, NodeIdentity } from '#policy';

interface ZoneNode {
  readonly name: string;
  /** msp.SerializedIdentity of the first version of its key. */
  readonly configured: Uint8Array;
  /** Of the version that endorses now. */
  current: Uint8Array;
  /** Of the version before: endorsements with it may be under way. */
  previous: Uint8Array | undefined;
}

/**
 * The nodes of the zone as identities of the channel. The manager knows them from its own
 * configuration and the rotations on the ledger, so that an endorser cannot pass off another key as
 * a node's.
 */
export class ZoneNodes {
  readonly #nodes: readonly ZoneNode[];
  readonly #keys: Pick<LedgerKeys, 'height' | 'rotationOf'>;
  readonly #log: Log;
  readonly #known: Set<string>;
  #config: ChannelConfig | undefined;
  #height = -1n;
  #identities: ReadonlyMap<string, NodeIdentity> = new Map();

  constructor(
    nodes: readonly { name: string; serialized: Uint8Array }[],
    keys: Pick<LedgerKeys, 'height' | 'rotationOf'>,
    log: Log,
  ) {
    this.#nodes = nodes.map(({ name, serialized: configured }) => ({
      name,
      configured,
      current: configured,
      previous: undefined,
    }));
    this.#keys = keys;
    this.#log = log;
    this.#known = new Set(nodes.map(({ serialized }) => latin1Of(serialized)));
  }

  /** Whether the bytes are, or lately were, the msp.SerializedIdentity of a node. */
  has(serialized: Uint8Array): boolean {
    this.#follow();
    return this.#known.has(latin1Of(serialized));
  }

  /**
   * By name, without those that the configuration does not take: a node whose certificate was
   * revoked must not keep the others from endorsing.
   */
  identities(config: ChannelConfig): ReadonlyMap<string, NodeIdentity> {
    this.#follow();
    if (this.#config !== config) {
      this.#identities = new Map(this.#valid(config).map((node) => [node.name, node]));
      this.#config = config;
    }
    return this.#identities;
  }

  /** The node's identity if these bytes are that of its present key or of the one before. */
  endorserOf(name: string, serialized: Uint8Array, config: ChannelConfig): Identity | undefined {
    const present = this.identities(config).get(name)?.identity;
    if (present !== undefined && equalBytes(present.serialized, serialized)) return present;
    const previous = this.#nodes.find((node) => node.name === name)?.previous;
    if (previous === undefined || !equalBytes(previous, serialized)) return undefined;
    return config.findMember(serialized);
  }

  /** Looks once at each height which keys have been rotated. */
  #follow(): void {
    const { height } = this.#keys;
    if (height === this.#height) return;
    this.#height = height;
    for (const node of this.#nodes) if (this.#followOne(node)) this.#config = undefined;
  }

  #followOne(node: ZoneNode): boolean {
    const rotation = this.#keys.rotationOf(node.name);
    if (rotation === undefined) return false;
    const { old, next } = rotation;
    if (equalBytes(next.serializedIdentity, node.current)) return false;
    // The first rotation has to be of the key that the operator named here.
    if (old.version === 1 && !equalBytes(old.serializedIdentity, node.configured)) {
      this.#log.error(
        { node: node.name },
        'the ledger rotates another key than the configured one',
      );
      return false;
    }
    node.previous = old.serializedIdentity;
    node.current = next.serializedIdentity;
    for (const one of [node.previous, node.current]) this.#known.add(latin1Of(one));
    this.#log.info({ node: node.name, version: next.version }, 'a node’s key was rotated');
    return true;
  }

  #valid(config: ChannelConfig): NodeIdentity[] {
    return this.#nodes.flatMap(({ name, current }) => {
      const identity = config.findMember(current);
      if (identity !== undefined) return [{ name, identity }];
      this.#log.warn({ node: name }, 'the channel does not take a node for a member any more');
      return [];
    });
  }
}
