import { emptyBytes, silentLog, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  Envelope,
  blockMetadata,
  BundleResult,
  bundleFunction,
  buildChannelHeader,
  buildEnvelopePayload,
  buildProposal,
  buildProposalResponsePayload,
  ConfigEnvelope,
  dataHash,
  encodeRwSet,
  headerTypes,
  parseRwSet,
  parseTransaction,
  Payload,
  signaturesValue,
  SignatureHeader,
  validationCodes,
} from '#formats';
import type {
  Block,
  NamespaceRwSet,
  ParsedRwSet,
  TransactionVerdict,
  ValidationCode,
} from '#formats';
import { openLedger } from '#ledger';
import type { CommittedBlock, Ledger, Validate } from '#ledger';
import { startChildrenPlainly } from '../support/plain-children.ts';

startChildrenPlainly();

/**
 * Opens a ledger whose signature and policy stage believes every transaction that can be read: what
 * is tested here comes after it.
 */
export async function openTestLedger(
  dir: string,
  options: {
    validate?: Validate;
    log?: typeof silentLog;
    diskReserveBytes?: number;
    keepsProofs?: boolean;
    lag?: { blocksMax?: number; entriesMax?: number; bytesMax?: number };
  } = {},
): Promise<Ledger> {
  const ledger = await openLedger({
    dir,
    log: options.log ?? silentLog,
    validate: options.validate ?? believe,
    diskReserveBytes: options.diskReserveBytes ?? 0,
    keepsProofs: options.keepsProofs ?? true,
    lag: options.lag ?? {},
  });
  if (ledger.height === 0n) await ledger.init(genesisBlock());
  return ledger;
}

export const believe: Validate = (block) => (block.data?.data ?? []).map(verdictOf);

function verdictOf(envelope: Uint8Array): TransactionVerdict {
  try {
    const { channelHeader, endorsed } = parseTransaction(envelope);
    const { txId, type } = channelHeader;
    const verdict = { code: validationCodes.NOT_VALIDATED, txId, type };
    if (endorsed === undefined) return verdict;
    const code = codesByMark.get(endorsed.action.response?.message ?? '') ?? verdict.code;
    return { ...verdict, code, rwset: parseRwSet(endorsed.action.results) };
  } catch {
    return { code: validationCodes.BAD_PAYLOAD, txId: '', type: -1 };
  }
}

/** A transaction whose response message is such a mark fails the stage before the ledger. */
const codesByMark = new Map<string, ValidationCode>([
  ['badly endorsed', validationCodes.ENDORSEMENT_POLICY_FAILURE],
]);

export function genesisBlock(): Block {
  return configBlock(0n, emptyBytes, 1n);
}

export function configBlock(number: bigint, previousHash: Uint8Array, sequence: bigint): Block {
  const channelHeader = buildChannelHeader({
    type: headerTypes.config,
    channel: 'test',
    timeMs: 0,
  });
  const signatureHeader = SignatureHeader.encode({ creator: utf8('orderer'), nonce: utf8('n') });
  const config = ConfigEnvelope.encode({
    config: { sequence, channelGroup: undefined },
    lastUpdate: undefined,
  });
  const payload = Payload.encode({ header: { channelHeader, signatureHeader }, data: config });
  const envelope = Envelope.encode({ payload, signature: utf8('s') });
  return sealedBlock(number, previousHash, [envelope], number);
}

export interface TestTransaction {
  /** Makes the id; the same name is the same id. */
  name: string;
  reads?: [key: string, version: [block: number, tx: number] | undefined][];
  ranges?: NamespaceRwSet['rangeQueries'];
  /** Undefined: delete. */
  writes?: [key: string, value: string | undefined][];
  metadata?: [key: string, value: string | undefined][];
  namespace?: string;
  /** Compact JWS each; makes a bundle. */
  requests?: string[];
  /** What the stage before the ledger is made to say. */
  mark?: string;
  rwset?: ParsedRwSet;
}

export function rwsetOf(transaction: TestTransaction): ParsedRwSet {
  const { reads = [], ranges = [], writes = [], metadata = [] } = transaction;
  return {
    namespaces: [
      {
        namespace: transaction.namespace ?? 'notary',
        reads: reads.map(([key, version]) => ({ key, version: version && versionOf(version) })),
        rangeQueries: ranges,
        writes: writes.map(([key, value]) => ({
          key,
          isDelete: value === undefined,
          value: utf8(value ?? ''),
        })),
        metadataWrites: metadata.map(([key, value]) => ({
          key,
          entries:
            value === undefined ? [] : [{ name: 'VALIDATION_PARAMETER', value: utf8(value) }],
        })),
      },
    ],
  };
}

export function versionOf([block, tx]: [block: number, tx: number]) {
  return { blockNum: BigInt(block), txNum: BigInt(tx) };
}

/** @returns common.Envelope bytes. */
export function envelopeOf(transaction: TestTransaction): Uint8Array {
  const requests = transaction.requests ?? [];
  const proposal = buildProposal({
    channel: 'test',
    contract: 'notary',
    args: requests.length === 0 ? [utf8('f')] : [bundleFunction, ...requests].map(utf8),
    creator: utf8('relay'),
    nonce: utf8(transaction.name),
    timeMs: 0,
  });
  const results = requests.map((jws) => ({
    requestId: sha256(utf8(jws.slice(0, jws.lastIndexOf('.')))),
    status: 200,
    message: '',
    payloads: [utf8(`result of ${jws}`)],
    code: '',
  }));
  const payload = requests.length === 0 ? emptyBytes : BundleResult.encode({ results });
  const proposalResponsePayload = buildProposalResponsePayload(proposal, {
    results: encodeRwSet(transaction.rwset ?? rwsetOf(transaction)),
    response: { status: 200, message: transaction.mark ?? '', payload },
    chaincodeId: { path: '', name: 'notary', version: '1' },
  });
  const bytes = buildEnvelopePayload({ ...proposal, proposalResponsePayload, endorsements: [] });
  return Envelope.encode({ payload: bytes, signature: utf8('s') });
}

export function txIdOf(name: string): string {
  return toHex(sha256(utf8(name), utf8('relay')));
}

export function requestIdOf(jws: string): string {
  return toHex(sha256(utf8(jws.slice(0, jws.lastIndexOf('.')))));
}

export function headerFor(ledger: Ledger, data: readonly Uint8Array[]) {
  return {
    number: ledger.height,
    previousHash: ledger.lastHeaderHash,
    dataHash: dataHash(data),
  };
}

/** The next block as another node would have made and sealed it. */
export function nextBlock(ledger: Ledger, transactions: readonly TestTransaction[]): Block {
  const data = transactions.map(envelopeOf);
  return sealedBlock(ledger.height, ledger.lastHeaderHash, data, 0n);
}

export async function commit(
  ledger: Ledger,
  ...transactions: TestTransaction[]
): Promise<CommittedBlock> {
  return ledger.commit(nextBlock(ledger, transactions));
}

/** Proposes and seals, as the writer does. */
export async function write(
  ledger: Ledger,
  ...transactions: TestTransaction[]
): Promise<CommittedBlock> {
  const data = transactions.map(envelopeOf);
  await ledger.propose({ header: headerFor(ledger, data), data });
  return ledger.seal(testMetadata(0n));
}

/** Entries with a signature that nobody here checks. */
export function testMetadata(lastConfigIndex: bigint): Uint8Array[] {
  const facts = { lastConfigIndex };
  const signature = {
    signatureHeader: utf8('signer'),
    signature: utf8('signature'),
    identifierHeader: emptyBytes,
  };
  return blockMetadata(facts, signaturesValue(facts), [signature]);
}

function sealedBlock(
  number: bigint,
  previousHash: Uint8Array,
  data: Uint8Array[],
  lastConfigIndex: bigint,
): Block {
  return {
    header: { number, previousHash, dataHash: dataHash(data) },
    data: { data },
    metadata: { metadata: testMetadata(lastConfigIndex) },
  };
}

/** Everything that follows from the block files, to compare two ledgers by. */
export function fingerprint(ledger: Ledger): unknown {
  const rows = ledger.range('notary', '', '', 100_000);
  return {
    height: ledger.height,
    headerHash: toHex(ledger.lastHeaderHash),
    evidence: [ledger.evidence.size, toHex(ledger.evidence.root)],
    configBlock: ledger.configBlock.header?.number,
    state: rows.map(({ key, value, version, metadata }) => [
      key,
      toHex(value),
      version.blockNum,
      version.txNum,
      metadata && toHex(metadata),
    ]),
    verdicts: Array.from({ length: Number(ledger.height) }, (_, number) =>
      ledger.block(BigInt(number))?.metadata?.metadata.slice(2).map(toHex),
    ),
  };
}
