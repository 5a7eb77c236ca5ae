import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, emptyBytes } from '#base';
import type { Log } from '#base';
import { SignatureHeader, blockMetadata, dataHash, isConfigBlock, signaturesValue } from '#formats';
import type { Block, SignerClient } from '#formats';
import type { CommittedBlock, Ledger, ProposedBlock } from '#ledger';

const nonceBytes = 24;
const retryMs = 200;

interface OrderingKey {
  label: string;
  serializedIdentity: Uint8Array;
}

export interface BlockMakerParts {
  ledger: Ledger;
  signer: SignerClient;
  /** Label and msp.SerializedIdentity of the ordering key that signs at the ledger's height. */
  orderingKey: () => OrderingKey;
  channel: string;
  log: Log;
  signal: AbortSignal;
}

/**
 * Makes block after block: the block is on disk before its signature is asked for, so that after any
 * crash the very same block is signed and not another of its height.
 */
export class BlockMaker {
  readonly #parts: BlockMakerParts;

  constructor(parts: BlockMakerParts) {
    this.#parts = parts;
  }

  /** Completes a block that a crash left without its signature. */
  async recover(): Promise<void> {
    const { proposed } = this.#parts.ledger;
    if (proposed === undefined) return;
    this.#parts.log.info({ block: proposed.header.number }, 'completing the block left unsigned');
    await this.#complete(proposed);
  }

  /**
   * @param envelopes common.Envelope bytes, in order; at least one.
   * @param onProposed called once the block is on disk: from then on it will be in the chain.
   */
  async make(envelopes: Uint8Array[], onProposed = () => {}): Promise<CommittedBlock> {
    const { ledger } = this.#parts;
    const proposed = await ledger.propose({
      header: {
        number: ledger.height,
        previousHash: ledger.lastHeaderHash,
        dataHash: dataHash(envelopes),
      },
      data: envelopes,
    });
    onProposed();
    return this.#complete(proposed);
  }

  async #complete(proposed: ProposedBlock): Promise<CommittedBlock> {
    const { ledger } = this.#parts;
    const orderingKey = this.#parts.orderingKey();
    const facts = {
      lastConfigIndex: this.#lastConfigIndex(proposed),
      consenterMetadata: {
        treeSize: proposed.evidenceAfter.size,
        rootHash: proposed.evidenceAfter.root,
      },
    };
    const value = signaturesValue(facts);
    const signatureHeader = SignatureHeader.encode({
      creator: orderingKey.serializedIdentity,
      nonce: new Uint8Array(randomBytes(nonceBytes)),
    });
    const { number } = proposed.header;
    const signature = await this.#patiently(number, 'its signature', () =>
      this.#sign(proposed, orderingKey.label, value, signatureHeader),
    );
    const signatures = [{ signatureHeader, signature, identifierHeader: emptyBytes }];
    const metadata = blockMetadata(facts, value, signatures);
    return this.#patiently(number, 'room on its disk', () => ledger.seal(metadata));
  }

  #lastConfigIndex({ header, data }: ProposedBlock): bigint {
    const block: Block = { header, data: { data }, metadata: undefined };
    if (isConfigBlock(block)) return header.number;
    return this.#parts.ledger.configBlock.header?.number ?? 0n;
  }

  #sign(
    { header }: ProposedBlock,
    keyLabel: string,
    metadataValue: Uint8Array,
    signatureHeader: Uint8Array,
  ): Promise<Uint8Array> {
    const { signer, channel } = this.#parts;
    return signer.signBlock({
      keyLabel,
      channel,
      ...header,
      metadataValue,
      signatureHeader,
    });
  }

  /** The block is already on disk: a signer that is away, or a disk that is full, is waited for. */
  async #patiently<Result>(
    block: bigint,
    awaited: string,
    act: () => Promise<Result>,
  ): Promise<Result> {
    const { log, signal } = this.#parts;
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof Fault) || error.kind !== 'busy') throw error;
        log.warn({ block, awaited, code: error.code }, 'the block waits');
        await wait(retryMs, undefined, { signal });
      }
    }
  }
}
