import { emptyBytes } from '#base';
import {
  Block,
  BlockchainInfo,
  ChannelQueryResponse,
  Config,
  ProcessedTransaction,
  Envelope,
  headerHash,
} from '#formats';
import type { Response } from '#formats';
import type { Ledger } from '#ledger';
import type { ChannelConfig, Identity, SignedData } from '#policy';
import { readerPolicies } from './reader-access.ts';

export interface SystemQuerySource {
  ledger: Pick<
    Ledger,
    'height' | 'configBlock' | 'block' | 'blockByHash' | 'blockByTxId' | 'transaction'
  >;
  channelConfig: () => ChannelConfig;
}

/** A call to a contract that is built into every peer. */
export interface SystemCall {
  contract: string;
  args: readonly Uint8Array[];
  /** The caller, whose signature over the proposal has been checked, and the proposal as signed. */
  identity: Identity;
  signed: SignedData;
  /** The organisation whose endpoint was called; undefined at the zone's own. */
  mspid: string | undefined;
}

/** Names of the system contracts that are answered here. */
export function isSystemQuery(contract: string): boolean {
  return contract === 'qscc' || contract === 'cscc';
}

/**
 * Answers `qscc` and `cscc` as a stock peer does, with its sentences and its default access rules:
 * Application/Readers for what a channel holds, any member of the organisation for the list of
 * channels.
 *
 * @see Fabric core/scc/qscc/query.go, core/scc/cscc/configure.go, core/aclmgmt.
 */
export function answerSystemQuery(call: SystemCall, source: SystemQuerySource): Response {
  return call.contract === 'qscc' ? answerQscc(call, source) : answerCscc(call, source);
}

type Query = (source: SystemQuerySource, argument: Uint8Array) => Uint8Array | string;

/** A text is why there is no answer. */
const qsccQueries: Readonly<Record<string, Query>> = {
  GetChainInfo: ({ ledger }) => {
    const newest = ledger.block(ledger.height - 1n)?.header;
    if (newest === undefined) return 'Failed to get block info with error no block';
    return BlockchainInfo.encode({
      height: ledger.height,
      currentBlockHash: headerHash(newest),
      previousBlockHash: newest.previousHash,
    });
  },
  GetBlockByNumber: ({ ledger }, argument) => {
    const digits = shown(argument);
    if (!/^[0-9]{1,20}$/.test(digits) || BigInt(digits) > newestBlock) {
      return `Failed to parse block number with error strconv.ParseUint: parsing "${digits}": invalid syntax`;
    }
    const asked = BigInt(digits);
    const block = ledger.block(asked === newestBlock ? ledger.height - 1n : asked);
    if (block !== undefined) return Block.encode(block);
    return `Failed to get block number ${asked}, error no such block number [${asked}] in index`;
  },
  GetBlockByHash: ({ ledger }, argument) => {
    const block = ledger.blockByHash(argument);
    if (block !== undefined) return Block.encode(block);
    const hash = Buffer.from(argument.subarray(0, 64)).toString('hex');
    return `Failed to get block hash ${hash}, error no such block hash [${hash}] in index`;
  },
  GetTransactionByID: ({ ledger }, argument) => {
    const txId = shown(argument);
    const found = ledger.transaction(txId);
    if (found === undefined) {
      return `Failed to get transaction with id ${txId}, error no such transaction ID [${txId}] in index`;
    }
    const { envelope, code } = found;
    return ProcessedTransaction.encode({
      transactionEnvelope: Envelope.decode(envelope),
      validationCode: code,
    });
  },
  GetBlockByTxID: ({ ledger }, argument) => {
    const txId = shown(argument);
    const block = ledger.blockByTxId(txId);
    if (block !== undefined) return Block.encode(block);
    return `Failed to get block for txID ${txId}, error no such transaction ID [${txId}] in index`;
  },
};

/** A number that is none stands for the newest block. */
const newestBlock = 2n ** 64n - 1n;

function answerQscc(call: SystemCall, source: SystemQuerySource): Response {
  const [nameBytes, channelBytes, argument] = call.args;
  if (nameBytes === undefined || channelBytes === undefined) {
    return refused(`Incorrect number of arguments, ${call.args.length}`);
  }
  const name = shown(nameBytes);
  const channel = shown(channelBytes);
  if (name !== 'GetChainInfo' && argument === undefined) {
    return refused(`missing 3rd argument for ${name}`);
  }
  if (channel !== source.channelConfig().channelId) return refused(`Invalid chain ID, ${channel}`);
  const query = Object.hasOwn(qsccQueries, name) ? qsccQueries[name] : undefined;
  const denied =
    query === undefined ? `Unmapped policy for qscc/${name}` : readerDenial(call, source);
  if (query === undefined || denied !== undefined) {
    return refused(`access denied for [${name}][${channel}]: [${denied}]`);
  }
  return responseOf(query(source, argument ?? emptyBytes));
}

function answerCscc(call: SystemCall, source: SystemQuerySource): Response {
  const [nameBytes, argument = emptyBytes] = call.args;
  if (nameBytes === undefined) return refused('Incorrect number of arguments, 0');
  const name = shown(nameBytes);
  switch (name) {
    case 'GetChannels':
      return getChannels(call, source);
    case 'GetConfigBlock':
    case 'GetChannelConfig':
      return getConfig(name, shown(argument), call, source);
    default:
      // What a peer joins is not for a call to decide here.
      return refused(`Requested function ${name} not found.`);
  }
}

function getChannels({ identity, mspid }: SystemCall, { channelConfig }: SystemQuerySource) {
  const { applicationOrgs, channelId } = channelConfig();
  const isMember =
    mspid === undefined ? applicationOrgs.includes(identity.mspid) : identity.mspid === mspid;
  if (!isMember) {
    return refused(
      'access denied for [GetChannels]: Failed verifying that proposal’s creator satisfies local MSP ' +
        'principal during channelless check policy with policy [Members]',
    );
  }
  return responseOf(ChannelQueryResponse.encode({ channels: [{ channelId }] }));
}

function getConfig(
  name: string,
  channel: string,
  call: SystemCall,
  source: SystemQuerySource,
): Response {
  const config = source.channelConfig();
  if (channel === '') return refused('empty channel name provided');
  const denied =
    channel === config.channelId
      ? readerDenial(call, source)
      : `Failed to get policy manager for channel [${channel}]`;
  if (denied !== undefined) return refused(`access denied for [${name}][${channel}]: ${denied}`);
  return responseOf(
    name === 'GetConfigBlock' ? Block.encode(configBlockOf(source)) : Config.encode(config.config),
  );
}

/** With what a committer fills in, as a peer has it. */
function configBlockOf({ ledger }: SystemQuerySource): Block {
  const number = ledger.configBlock.header?.number ?? 0n;
  return ledger.block(number) ?? ledger.configBlock;
}

/** Why the caller may not read the channel; undefined when it may. */
function readerDenial({ signed }: SystemCall, { channelConfig }: SystemQuerySource) {
  const config = channelConfig();
  if (config.evaluate(readerPolicies.application, [signed])) return undefined;
  return (
    `Failed evaluating policy on signed data during check policy on channel [${config.channelId}] ` +
    `with policy [${readerPolicies.application}]`
  );
}

function responseOf(answer: Uint8Array | string): Response {
  return typeof answer === 'string'
    ? refused(answer)
    : { status: 200, message: '', payload: answer };
}

function refused(message: string): Response {
  return { status: 500, message, payload: emptyBytes };
}

/** More than any name or id here can have. */
const shownBytesMax = 256;

/** A caller's text, as much of it as goes back to it. */
function shown(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, shownBytesMax)).toString('utf8');
}
