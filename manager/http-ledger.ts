import { Type, toHex } from '#base';
import type { Ledger } from '#ledger';
import type { ChannelConfig } from '#policy';
import type { ApiRoute } from './api-route.ts';
import { fault } from './faults.ts';
import type { StageTotal } from './stage-meter.ts';
import { BlockView, TransactionView, blockView, transactionView } from './ledger-views.ts';

export interface LedgerRouteParts {
  ledger: Ledger;
  channelConfig: () => ChannelConfig;
  /** What the pipeline has spent its time on. */
  stages: () => Readonly<Record<string, StageTotal>>;
}

/** Reading blocks and transactions, and how the service is. */
export function ledgerRoutes(parts: LedgerRouteParts): ApiRoute[] {
  return [healthRoute(parts), blockRoute(parts), transactionRoute(parts)];
}

export const blockMediaType = 'application/x-protobuf';

const Health = Type.Object(
  {
    status: Type.Literal('ok'),
    channel: Type.String(),
    height: Type.Integer({ description: 'Number of the block to come.' }),
    headerHash: Type.String({ description: 'Of the newest block, hex.' }),
    evidence: Type.Object(
      {
        treeSize: Type.Integer(),
        rootHash: Type.String({ description: 'RFC 6962 root of all requests so far, hex.' }),
      },
      { additionalProperties: false },
    ),
    stages: Type.Record(
      Type.String(),
      Type.Object({ count: Type.Integer(), totalMs: Type.Number() }),
      { description: 'How often each stage of the pipeline ran, and how long all together.' },
    ),
  },
  { additionalProperties: false },
);

function healthRoute({ ledger, channelConfig, stages }: LedgerRouteParts): ApiRoute {
  return {
    method: 'GET',
    url: '/v1/health',
    summary: 'Whether the service answers, and how far its ledger is.',
    answers: { 200: { 'application/json': Health } },
    refusals: [500],
    answer: async () => ({
      status: 'ok',
      channel: channelConfig().channelId,
      height: Number(ledger.height),
      headerHash: toHex(ledger.lastHeaderHash),
      evidence: {
        treeSize: Number(ledger.evidence.size),
        rootHash: toHex(ledger.evidence.root),
      },
      stages: stages(),
    }),
  };
}

const BlockNumber = Type.Object(
  { number: Type.String({ pattern: '^(0|[1-9][0-9]{0,18})$', description: 'From 0.' }) },
  { additionalProperties: false },
);

const BlockFormat = Type.Object(
  {
    format: Type.Optional(
      Type.Union([Type.Literal('json'), Type.Literal('protobuf')], {
        description: 'protobuf: common.Block as peers pull it.',
      }),
    ),
  },
  { additionalProperties: false },
);

function blockRoute({ ledger }: LedgerRouteParts): ApiRoute {
  return {
    method: 'GET',
    url: '/v1/blocks/:number',
    summary: 'A block.',
    params: BlockNumber,
    query: BlockFormat,
    answers: {
      200: {
        'application/json': BlockView,
        [blockMediaType]: Type.String({ contentMediaType: blockMediaType }),
      },
    },
    refusals: [400, 404, 500],
    answer: async (request, reply) => {
      const number = BigInt((request.params as { number: string }).number);
      const stored = ledger.rawBlock(number);
      const block = ledger.block(number);
      if (stored === undefined || block === undefined) {
        throw fault('MANAGER_BLOCK_ABSENT', { number });
      }
      const { format } = request.query as { format?: 'json' | 'protobuf' };
      if (format !== 'protobuf') return blockView(block, stored.length);
      return reply.type(blockMediaType).send(Buffer.from(stored));
    },
  };
}

const TransactionId = Type.Object(
  { txId: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Fabric transaction id.' }) },
  { additionalProperties: false },
);

function transactionRoute({ ledger }: LedgerRouteParts): ApiRoute {
  return {
    method: 'GET',
    url: '/v1/transactions/:txId',
    summary: 'A transaction with its requests.',
    params: TransactionId,
    answers: { 200: { 'application/json': TransactionView } },
    refusals: [400, 404, 500],
    answer: async (request) => {
      const { txId } = request.params as { txId: string };
      const found = ledger.transaction(txId);
      if (found === undefined) throw fault('MANAGER_TRANSACTION_ABSENT', { txId });
      return transactionView(txId, found);
    },
  };
}
