/** Blocks that no peer may commit. */
import { utf8 } from '#base';
import { sha256 } from '#crypto';
import { Envelope, Metadata } from '#formats';
import type { Block, MetadataSignature } from '#formats';
import { mirrored, orgs, zone } from '../policy/test-validation.ts';
import type { BlockChanges } from '../support/test-chain.ts';
import type { HostileChain } from './hostile-chain.ts';

/**
 * What becomes of a stock peer that receives it: it asks again for a block of that number, its
 * process ends, or it commits what a stricter peer would not.
 */
export type Outcome = 'refused' | 'died' | 'committed';

export interface UnfitBlock {
  /** What is wrong with a block whose one envelope is given. */
  readonly of: (chain: HostileChain, envelope: Uint8Array) => Block;
  /** With peers that do not check the chain; undefined when it depends on their version. */
  readonly before3: Outcome | undefined;
}

const changed = (changes: BlockChanges, before3: Outcome = 'refused'): UnfitBlock => ({
  of: (chain, envelope) => chain.make([envelope], changes),
  before3,
});

const withSignatures = (
  edit: (signatures: readonly MetadataSignature[]) => MetadataSignature[],
): UnfitBlock =>
  changed({
    metadata: ([first, ...rest]) => {
      const { value, signatures } = Metadata.decode(first!);
      return [Metadata.encode({ value, signatures: edit(signatures) }), ...rest];
    },
  });

const by = (mspid: string, identity: (typeof zone)['client']) =>
  changed({ signer: { mspid, identity } });

const anotherHash = sha256(utf8('another'));

export const unfitBlocks: Readonly<Record<string, UnfitBlock>> = {
  'a block signed over another': {
    of: (chain, envelope) => {
      const [signatures] = chain.make([chain.transaction()]).metadata!.metadata;
      return chain.make([envelope], { metadata: ([, ...rest]) => [signatures!, ...rest] });
    },
    before3: 'refused',
  },
  'a block without a signature': withSignatures(() => []),
  'a block signed with high s': withSignatures((all) =>
    all.map((one) => ({ ...one, signature: mirrored(one.signature) })),
  ),
  'a block signed by a peer': by(orgs[0]!.mspid, orgs[0]!.peer),
  'a block signed by an orderer of an organisation that has none': by(
    orgs[0]!.mspid,
    orgs[0]!.orderer,
  ),
  "a block signed by the zone's client": by(zone.mspid, zone.client),
  'a block behind another than the last': changed(
    { header: { previousHash: anotherHash } },
    // It finds out when it stores the block, and gives up.
    'died',
  ),
  'a block with another data hash than its data has': changed({
    header: { dataHash: anotherHash },
  }),
  'a block with other data than it was signed with': {
    of: (chain, envelope) => ({
      ...chain.make([chain.transaction()]),
      data: { data: [envelope] },
    }),
    before3: 'refused',
  },
  'a block with four metadata entries': changed(
    { metadata: (entries) => entries.slice(0, 4) },
    'committed',
  ),
  'a block without metadata': changed({ metadata: () => [] }),
  'a block without transactions': { of: (chain) => chain.make([]), before3: 'refused' },
  'a block with an envelope that is none': {
    of: (chain) => chain.make([utf8('\u0007garbage')]),
    before3: 'refused',
  },
  'a block with an envelope whose fields are swapped': {
    of: (chain, envelope) => {
      const { payload, signature } = Envelope.decode(envelope);
      const fields = [Envelope.encode({ signature }), Envelope.encode({ payload })];
      return chain.make([new Uint8Array(Buffer.concat(fields))]);
    },
    before3: undefined,
  },
  'a block with an envelope that nobody signed': {
    of: (chain, envelope) => {
      const { payload } = Envelope.decode(envelope);
      return chain.make([Envelope.encode({ payload })]);
    },
    before3: undefined,
  },
};
