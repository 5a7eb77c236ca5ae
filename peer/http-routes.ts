import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Type, toBase64, toHex } from '#base';
import type { ObjectSchema, Members } from '#base';
import { Block } from '#formats';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import { blockView, codeView, commitHashOf, textOrNothing } from './block-view.ts';
import { fault } from './faults.ts';

export interface RouteParts {
  ledger: Ledger;
  channelConfig: () => ChannelConfig;
  /** Whether blocks can arrive right now. */
  isConnected: () => boolean;
}

/** All that can be asked of a peer. */
export function peerRoutes(parts: RouteParts): RouteOptions[] {
  return [
    healthRoute(parts),
    blockRoute(parts),
    transactionRoute(parts),
    stateRoute(parts),
    requestRoute(parts),
  ];
}

export const blockMediaType = 'application/x-protobuf';

function healthRoute({ ledger, channelConfig, isConnected }: RouteParts): RouteOptions {
  return get('/v1/health', {}, async () => {
    const { height, lastHeaderHash } = ledger;
    const newest = ledger.block(height - 1n);
    return {
      height: Number(height),
      channel: channelConfig().channelId,
      lastBlockHash: toHex(lastHeaderHash),
      // Fabric's: equal on all peers that made the same state of the same blocks. Empty at block 0.
      commitHash: newest === undefined ? '' : toHex(commitHashOf(newest)),
      connected: isConnected(),
    };
  });
}

const BlockNumber = closed({ number: Type.String({ pattern: '^(0|[1-9][0-9]{0,18})$' }) });
const BlockFormat = closed({
  format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('protobuf')])),
});

function blockRoute({ ledger }: RouteParts): RouteOptions {
  const schema = { params: BlockNumber, querystring: BlockFormat };
  return get('/v1/blocks/:number', schema, async (request, reply) => {
    const number = BigInt((request.params as { number: string }).number);
    const block = ledger.block(number);
    if (block === undefined) throw fault('PEER_BLOCK_ABSENT', { number });
    const { format } = request.query as { format?: 'json' | 'protobuf' };
    if (format !== 'protobuf') return blockView(block);
    return reply.type(blockMediaType).send(Buffer.from(Block.encode(block)));
  });
}

const hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const TransactionId = closed({ txId: hash });

function transactionRoute({ ledger }: RouteParts): RouteOptions {
  return get('/v1/transactions/:txId', { params: TransactionId }, async (request) => {
    const { txId } = request.params as { txId: string };
    const found = ledger.transaction(txId);
    if (found === undefined) throw fault('PEER_TRANSACTION_ABSENT', { txId });
    return {
      txId,
      validationCode: codeView(found.code),
      block: Number(found.blockNumber),
      index: found.index,
    };
  });
}

const StateKey = closed({ namespace: Type.String(), key: Type.String() });

function stateRoute({ ledger }: RouteParts): RouteOptions {
  return get('/v1/state/:namespace/:key', { params: StateKey }, async (request) => {
    const { namespace, key } = request.params as { namespace: string; key: string };
    const found = ledger.get(namespace, key);
    if (found === undefined) throw fault('PEER_STATE_ABSENT', { namespace, key });
    const { blockNum, txNum } = found.version;
    return {
      namespace,
      key,
      value: { base64: toBase64(found.value), ...textOrNothing(found.value) },
      version: { block: Number(blockNum), index: Number(txNum) },
    };
  });
}

const RequestId = closed({ id: hash });

function requestRoute({ ledger }: RouteParts): RouteOptions {
  return get('/v1/requests/:id', { params: RequestId }, async (request) => {
    const { id } = request.params as { id: string };
    const found = ledger.request(id);
    if (found === undefined) throw fault('PEER_REQUEST_ABSENT', { requestId: id });
    return {
      requestId: id,
      block: Number(found.blockNumber),
      txId: found.txId,
      index: found.requestIndex,
      validationCode: codeView(found.code),
    };
  });
}

type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

function get(url: string, schema: Record<string, ObjectSchema>, handler: Answer): RouteOptions {
  return { method: 'GET', url, schema, handler };
}

function closed<M extends Members>(members: M) {
  return Type.Object(members, { additionalProperties: false });
}
