import { utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ApplicationPolicy,
  ConfigUpdate,
  Envelope,
  buildConfigPayload,
  dataHash,
  definitionWrites,
  lifecycleNamespace,
  validationCodes,
} from '#formats';
import type {
  Block,
  ConfigGroup,
  KvRead,
  NamespaceRwSet,
  ValidationCodeName,
  Version,
} from '#formats';
import { acceptConfigUpdate } from '#policy';
import type { ChannelConfig } from '#policy';
import { epoch } from '../policy/test-ca.ts';
import type { TestNetwork } from '../policy/test-channel.ts';
import { textPolicy, transactionOf, write } from '../policy/test-transaction.ts';
import type { Signer, TransactionParts } from '../policy/test-transaction.ts';
import { good } from '../policy/test-validation.ts';
import {
  editedGroup,
  signedEnvelope,
  signedUpdate,
  updateBetween,
} from '../support/config-update.ts';
import type { UpdateSigner } from '../support/config-update.ts';
import { TestChain } from '../support/test-chain.ts';
import type { BlockChanges } from '../support/test-chain.ts';

/** An envelope, and what every peer has to say of it. */
export type Judged = readonly [code: ValidationCodeName, envelope: Uint8Array];

/** Blocks that an honest zone would never make, well signed all the same. */
export class HostileChain {
  readonly #chain: TestChain;
  readonly #network: TestNetwork;
  #config: ChannelConfig;
  #nonces = 0;

  constructor(network: TestNetwork) {
    this.#network = network;
    this.#chain = new TestChain(network);
    this.#config = this.#chain.config;
  }

  get genesis(): Block {
    return this.#chain.genesis;
  }

  get height(): bigint {
    return this.#chain.height;
  }

  block(number: bigint): Block {
    return this.#chain.blocks[Number(number)]!;
  }

  codes(number: bigint): number[] {
    return this.#chain.codes[Number(number)]!;
  }

  /** The next block with the envelopes, not appended. */
  make(envelopes: readonly Uint8Array[], changes: BlockChanges = {}): Block {
    const data = [...envelopes];
    const header = { dataHash: dataHash(data), ...changes.header };
    return this.#chain.make([], { data, ...changes, header });
  }

  /** @returns the number of the block. */
  append(...judged: readonly Judged[]): bigint {
    const number = this.height;
    this.#chain.blocks.push(this.make(judged.map(([, envelope]) => envelope)));
    this.#chain.codes.push(judged.map(([code]) => validationCodes[code]));
    return number;
  }

  /**
   * Appends a block with a good transaction in front, because stock peers before 3.0 refuse a block
   * whole when its first transaction is of another channel.
   *
   * @returns the number of the block; the first of the envelopes is transaction 1 of it.
   */
  add(...judged: readonly Judged[]): bigint {
    return this.append(['VALID', this.transaction()], ...judged);
  }

  /** Appends block 1 of a chain: the definitions of contracts, by name. */
  define(policies: Readonly<Record<string, string>>): void {
    const definitions = Object.entries(policies).map(([name, policy]): Judged => [
      'VALID',
      this.definition(name, policy),
    ]);
    this.append(...definitions);
  }

  /**
   * A transaction that is good but for the parts given; each has a nonce of its own. Never one that
   * two namespaces refuse for different reasons: which of them a stock peer states is up to chance.
   *
   * @see Fabric core/committer/txvalidator/v20/plugindispatcher/dispatcher.go, the range of a map.
   */
  transaction(parts: Partial<TransactionParts> = {}): Uint8Array {
    this.#nonces += 1;
    const nonce = sha256(utf8(`transaction ${this.#nonces}`)).subarray(0, 24);
    return transactionOf({
      ...good,
      namespaces: [
        { namespace: parts.contract ?? 'notary', writes: [write(`free ${this.#nonces}`)] },
      ],
      ...parts,
      signatureHeader: { nonce, ...parts.signatureHeader },
    });
  }

  /** A well endorsed transaction of `notary` that reads and writes there. */
  notary(rwset: Partial<NamespaceRwSet>, parts: Partial<TransactionParts> = {}): Uint8Array {
    return this.transaction({ namespaces: [{ namespace: 'notary', ...rwset }], ...parts });
  }

  /** A well endorsed definition of a contract. @param policy text, or the path of a channel's. */
  definition(name: string, policy: string, sequence = 1n): Uint8Array {
    const applicationPolicy = policy.startsWith('/')
      ? ApplicationPolicy.encode({ channelConfigPolicyReference: policy })
      : textPolicy(policy);
    const definition = { name, version: '1.0', sequence, applicationPolicy };
    return this.transaction({
      contract: lifecycleNamespace,
      namespaces: [{ namespace: lifecycleNamespace, writes: definitionWrites(definition) }],
    });
  }

  /**
   * Appends a block with a configuration that everybody may take.
   *
   * @param signers may change what the edit changes; the first of them sends it.
   */
  configure(edit: (channel: ConfigGroup) => void, signers: readonly Signer[]): void {
    const { mspid, orderer } = this.#network.zone;
    const by = ({ mspid: id, identity }: Signer): UpdateSigner => ({
      serialized: identity.serialized(id),
      sign: (data) => identity.sign(data),
    });
    const channelId = this.#config.channelId;
    const before = this.#config.config;
    const update = updateBetween(channelId, before, editedGroup(before, edit));
    const signed = signedUpdate(ConfigUpdate.encode(update), signers.map(by));
    const sent = signedEnvelope(signed, { channelId, sender: by(signers[0]!) });
    const creator = orderer.serialized(mspid);
    const party = { orderer: creator, at: epoch };
    const { envelope, next } = acceptConfigUpdate(this.#config, sent, party);
    const nonce = utf8(`configuration ${next.sequence}`);
    const timeMs = epoch.getTime();
    const spec = { channel: channelId, creator, nonce, timeMs, envelope };
    const payload = buildConfigPayload(spec);
    this.append(['VALID', Envelope.encode({ payload, signature: orderer.sign(payload) })]);
    this.#config = next;
  }

  /** Appends a block that writes the keys of `notary`. @returns their version. */
  seed(...keys: string[]): Version {
    const blockNum = this.add(['VALID', this.notary({ writes: keys.map(write) })]);
    return { blockNum, txNum: 1n };
  }
}

export const read = (key: string, version?: Version): KvRead => ({ key, version });
