import { Type, emptyBytes, textOf, toHex } from '#base';
import type { Static } from '#base';
import {
  Metadata,
  SerializedIdentity,
  SignatureHeader,
  bundleOf,
  consenterMetadata,
  headerHash,
  headerTypes,
  lastConfigIndex,
  metadataIndexes,
  parseTransaction,
  signaturesMetadata,
  validationCodeName,
  validationCodes,
} from '#formats';
import type { Block, BlockHeader, ParsedTransaction, Timestamp } from '#formats';
import { Payload, payloadOf } from './payload-view.ts';

const closed = { additionalProperties: false };
const hex = (description: string) => Type.String({ description: `${description}, hex.` });

const TransactionSummary = Type.Object(
  {
    txId: Type.String({ description: 'Empty for a configuration.' }),
    type: Type.String({ description: 'config, endorserTransaction, or the number of another.' }),
    validation: Type.String({ description: 'Fabric’s validation code.' }),
    contract: Type.Optional(Type.String()),
    requests: Type.Optional(Type.Array(hex('Id of a request'))),
  },
  closed,
);

/** A block for people and scripts; its bytes are what counts. */
export const BlockView = Type.Object(
  {
    number: Type.Integer(),
    bytes: Type.Integer({ description: 'Size as stored.' }),
    headerHash: hex('SHA-256 of the header'),
    previousHash: hex('Header hash of the block before'),
    dataHash: hex('SHA-256 of the transactions'),
    commitHash: hex('Fabric’s commit hash; empty for block 0'),
    lastConfig: Type.Integer({ description: 'Number of the newest configuration block.' }),
    signers: Type.Array(Type.String({ description: 'MSP id of a block signature’s creator.' })),
    evidence: Type.Optional(
      Type.Object({ treeSize: Type.Integer(), rootHash: hex('RFC 6962 root') }, closed),
    ),
    transactions: Type.Array(TransactionSummary),
  },
  closed,
);
export type BlockView = Static<typeof BlockView>;

const RequestView = Type.Object(
  {
    requestId: hex('Id of the request'),
    status: Type.Integer(),
    message: Type.String(),
    code: Type.Optional(Type.String({ description: 'Fault code of a failed request.' })),
    payloads: Type.Array(Payload),
    jws: Type.String({ description: 'The request as its client signed it.' }),
  },
  closed,
);

/** A transaction for people and scripts. */
export const TransactionView = Type.Object(
  {
    txId: Type.String(),
    type: Type.String(),
    block: Type.Integer(),
    index: Type.Integer({ description: 'Place in the block.' }),
    validation: Type.String({ description: 'Fabric’s validation code.' }),
    time: Type.Optional(Type.String({ description: 'As its creator has it, ISO 8601.' })),
    creator: Type.String({ description: 'MSP id.' }),
    contract: Type.Optional(Type.String()),
    endorsers: Type.Array(Type.String({ description: 'MSP id.' })),
    requests: Type.Array(RequestView),
  },
  closed,
);
export type TransactionView = Static<typeof TransactionView>;

/** @param block of our own ledger, with what a peer fills in. */
export function blockView(block: Block, bytes: number): BlockView {
  const { header, data, metadata } = block;
  const { number, previousHash, dataHash } = header as BlockHeader;
  const codes = metadata?.metadata[metadataIndexes.transactionsFilter] ?? emptyBytes;
  const evidence = consenterMetadata(block);
  return {
    // Exact far beyond any block: one a microsecond needs 285 years to pass 2^53.
    number: Number(number),
    bytes,
    headerHash: toHex(headerHash(header as BlockHeader)),
    previousHash: toHex(previousHash),
    dataHash: toHex(dataHash),
    commitHash: toHex(commitHashOf(block)),
    lastConfig: Number(lastConfigIndex(block)),
    signers: signaturesMetadata(block).signatures.map(({ signatureHeader }) =>
      mspOf(SignatureHeader.decode(signatureHeader).creator),
    ),
    ...(evidence === undefined
      ? {}
      : {
          evidence: {
            treeSize: Number(evidence.treeSize),
            rootHash: toHex(evidence.rootHash),
          },
        }),
    transactions: (data?.data ?? []).map((envelope, index) =>
      summaryOf(parseTransaction(envelope), codes[index] ?? validationCodes.NOT_VALIDATED),
    ),
  };
}

function commitHashOf({ metadata }: Block): Uint8Array {
  const entry = metadata?.metadata[metadataIndexes.commitHash] ?? emptyBytes;
  return Metadata.decode(entry).value;
}

/** Where a transaction stands, with its envelope's bytes. */
export interface PlacedTransaction {
  blockNumber: bigint;
  index: number;
  code: number;
  envelope: Uint8Array;
}

export function transactionView(txId: string, placed: PlacedTransaction): TransactionView {
  const parsed = parseTransaction(placed.envelope);
  const { channelHeader, signatureHeader, endorsed } = parsed;
  const { timestamp } = channelHeader;
  const bundle = bundleOf(parsed);
  const contract = endorsed?.invocation?.chaincodeId?.name;
  return {
    txId,
    type: typeName(channelHeader.type),
    block: Number(placed.blockNumber),
    index: placed.index,
    validation: validationCodeName(placed.code),
    ...(timestamp === undefined ? {} : { time: isoTime(timestamp) }),
    creator: mspOf(signatureHeader.creator),
    ...(contract === undefined ? {} : { contract }),
    endorsers: (endorsed?.endorsements ?? []).map(({ endorser }) => mspOf(endorser)),
    requests: (bundle?.results ?? []).map((result, index) => ({
      requestId: toHex(result.requestId),
      status: result.status,
      message: result.message,
      ...(result.code === '' ? {} : { code: result.code }),
      payloads: result.payloads.map(payloadOf),
      jws: textOf(bundle?.requests[index] ?? emptyBytes),
    })),
  };
}

function summaryOf(parsed: ParsedTransaction, code: number): Static<typeof TransactionSummary> {
  const { type, txId } = parsed.channelHeader;
  const bundle = bundleOf(parsed);
  const contract = parsed.endorsed?.invocation?.chaincodeId?.name;
  return {
    txId,
    type: typeName(type),
    validation: validationCodeName(code),
    ...(contract === undefined ? {} : { contract }),
    ...(bundle === undefined
      ? {}
      : { requests: bundle.results.map(({ requestId }) => toHex(requestId)) }),
  };
}

function typeName(type: number): string {
  const named = Object.entries(headerTypes).find(([, number]) => number === type);
  return named?.[0] ?? String(type);
}

function mspOf(serialized: Uint8Array): string {
  return SerializedIdentity.decode(serialized).mspid;
}

function isoTime({ seconds, nanos }: Timestamp): string {
  return new Date(Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000)).toISOString();
}
