import { randomBytes } from 'node:crypto';
import { equalBytes, systemClock } from '#base';
import type { Clock, Log } from '#base';
import { dataHash, headerHash } from '#formats';
import type { Block } from '#formats';
import { openLedger } from '#ledger';
import type { Ledger } from '#ledger';
import { ConfigMemo, createValidator } from '#policy';
import { openBlockStream } from './block-stream.ts';
import type { PeerConfig } from './config.ts';
import { fault } from './faults.ts';
import { ChainFollower } from './follow-chain.ts';
import { buildHttp } from './http.ts';
import type { HttpService, ListenPlace } from './http.ts';
import { readAuthorities, readText, readTlsPair } from './named-files.ts';
import { seekRequest } from './seek-request.ts';
import { transportIdentity } from './transport-identity.ts';

export { PeerConfig } from './config.ts';
export { verifyReceipt } from './verify-receipt.ts';
export type { ReceiptTrust, VerifiedClient, VerifiedReceipt } from './verify-receipt.ts';

const nonceBytes = 24;

/** A peer that serves and follows its channel; `close` stops it and everything it opened. */
export interface Peer extends AsyncDisposable {
  /** Where it serves HTTP. */
  readonly port: number;
  /** Resolves once closed; rejects when the peer cannot go on, which closes it too. */
  readonly stopped: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the peer's ledger, which begins with the genesis block it trusts, serves it for reading and
 * follows the channel: every block is verified, validated and committed, and no contract is run.
 *
 * @throws PEER_GENESIS_INVALID, PEER_GENESIS_MISMATCH, PEER_IDENTITY_INVALID, PEER_TLS_INVALID,
 *   PEER_FILE_UNREADABLE, PEER_LISTEN_INSECURE; POLICY_CONFIG_INVALID; LEDGER_… when the ledger
 *   cannot be opened.
 */
export async function buildPeer(
  config: PeerConfig,
  deps: { log: Log; genesis: Block; clock?: Clock },
): Promise<Peer> {
  const { log, genesis, clock = systemClock } = deps;
  const source = { ...config.deliver, ca: readAuthorities(config.deliver.caFile) };
  const { mspid, certificateFile, keyFile } = config.identity;
  const identity = transportIdentity(mspid, readText(certificateFile), readText(keyFile));
  const listen = listenPlace(config);
  const memo = new ConfigMemo();
  const ledger = await openChain(config.ledgerDir, { log, genesis, memo });
  const channelConfig = () => memo.of(ledger.configBlock);
  const follower = new ChainFollower({
    ledger,
    channelConfig,
    open: (start, signal) => {
      const channel = channelConfig().channelId;
      const nonce = new Uint8Array(randomBytes(nonceBytes));
      const request = seekRequest(identity, { channel, start, timeMs: clock.nowMs(), nonce });
      return openBlockStream(source, request, signal);
    },
    clock,
    log,
  });
  const isConnected = () => follower.connected;
  try {
    const http = buildHttp({ listen, ledger, channelConfig, isConnected, clock, log });
    return await startPeer({ ledger, follower, http });
  } catch (error) {
    await ledger[Symbol.asyncDispose]();
    throw error;
  }
}

async function startPeer(parts: {
  ledger: Ledger;
  follower: ChainFollower;
  http: HttpService;
}): Promise<Peer> {
  const { ledger, follower, http } = parts;
  const port = await http.listen();
  const stop = new AbortController();
  const following = follower.follow(stop.signal);
  const stopped = following.finally(async () => {
    await http.close();
    await ledger[Symbol.asyncDispose]();
  });
  const close = async () => {
    stop.abort();
    await stopped.catch(() => {});
  };
  return { port, stopped, close, [Symbol.asyncDispose]: close };
}

async function openChain(
  dir: string,
  parts: { log: Log; genesis: Block; memo: ConfigMemo },
): Promise<Ledger> {
  const { log, genesis, memo } = parts;
  checkGenesis(genesis, memo);
  const validate = createValidator();
  const ledger = await openLedger({
    dir,
    log,
    validate: (block, lookups, configBlock) => validate(block, memo.of(configBlock), lookups),
  });
  try {
    if (ledger.height === 0n) await ledger.init(genesis);
    const first = ledger.block(0n)?.header;
    if (first === undefined || !equalBytes(headerHash(first), headerHash(genesis.header!))) {
      throw fault('PEER_GENESIS_MISMATCH', { dir });
    }
    return ledger;
  } catch (error) {
    await ledger[Symbol.asyncDispose]();
    throw error;
  }
}

/** The file may be damaged or of something else; that it is the right one, only its owner knows. */
function checkGenesis(genesis: Block, memo: ConfigMemo): void {
  const { header, data } = genesis;
  const isFirst = header?.number === 0n && header.previousHash.length === 0;
  if (!isFirst || !equalBytes(header.dataHash, dataHash(data?.data ?? []))) {
    throw fault('PEER_GENESIS_INVALID');
  }
  memo.of(genesis);
}

function listenPlace({ http }: PeerConfig): ListenPlace {
  const { host, port, tls } = http;
  if (tls === undefined) return { host, port };
  return { host, port, tls: readTlsPair(tls) };
}
