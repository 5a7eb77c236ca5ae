import { Type } from '#base';
import type { Static } from '#base';
import { WitnessConfig } from './witness-peers.ts';

const Tls = Type.Object(
  {
    certificateFile: Type.String({ description: 'PEM chain, leaf first.' }),
    keyFile: Type.String({ description: 'PEM private key, readable by this process only.' }),
  },
  { additionalProperties: false },
);

const Routing = Type.Object(
  {
    mode: Type.Union(
      [Type.Literal('partitioned'), Type.Literal('replicated'), Type.Literal('ordered')],
      {
        description:
          'partitioned: each endorser holds the keys of other nodes; replicated: all hold the same ' +
          'and the least loaded are taken; ordered: the stages of `order` in turn.',
      },
    ),
    endorsersPerTask: Type.Integer({
      minimum: 1,
      maximum: 64,
      default: 1,
      description: 'replicated: over how many endorsers the target nodes of one task are spread.',
    }),
    order: Type.Optional(
      Type.Array(Type.Array(Type.String(), { minItems: 1 }), {
        minItems: 1,
        description: 'ordered: names of endorsers, stage by stage.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type RoutingConfig = Static<typeof Routing>;

const GrpcListen = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
    port: Type.Integer({ minimum: 0, maximum: 65535, description: '0 takes any free port.' }),
    tls: Tls,
  },
  { additionalProperties: false },
);

/** The manager's configuration file; all paths are absolute. */
export const ManagerConfig = Type.Object(
  {
    ledgerDir: Type.String({ description: 'Directory of the ledger this manager writes.' }),
    genesisFile: Type.String({ description: 'Block 0 of the channel.' }),
    registryFile: Type.String({ description: 'The whitelist of clients, clients.json.' }),
    http: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
        port: Type.Integer({ minimum: 0, maximum: 65535, description: '0 takes any free port.' }),
        tls: Type.Optional(Tls),
      },
      { additionalProperties: false },
    ),
    deliver: GrpcListen,
    organizations: Type.Optional(
      Type.Array(
        Type.Object(
          {
            mspid: Type.String({ description: 'The organisation that the endpoint speaks for.' }),
            listen: GrpcListen,
          },
          { additionalProperties: false },
        ),
        {
          maxItems: 64,
          description: 'gRPC endpoints of single organisations, for tools that ask one by one.',
        },
      ),
    ),
    signer: Type.Object(
      {
        socket: Type.String({ description: 'Unix socket of the zone’s own signer host.' }),
        orderingKey: Type.String({ description: 'Label of the key that signs blocks.' }),
        relayKey: Type.String({ description: 'Label of the key that signs bundles’ envelopes.' }),
      },
      { additionalProperties: false },
    ),
    signerReports: Type.Optional(
      Type.Array(Type.String(), {
        maxItems: 256,
        description:
          'Unix sockets at which signer hosts report how their tokens are; GET /metrics says it. ' +
          'Their report sockets, never those at which they sign.',
      }),
    ),
    endorsers: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'As in the endorser’s own configuration.' }),
          socket: Type.String({ description: 'Its Unix socket.' }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 64, description: 'The endorsers of the zone.' },
    ),
    nodes: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'Label of the node’s key.' }),
          mspid: Type.String({ description: 'Its organisation.' }),
          certificateFile: Type.String({ description: 'PEM; endorsements must carry it.' }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 256, description: 'The nodes whose keys the zone holds.' },
    ),
    routing: Routing,
    bundle: Type.Object(
      {
        requestsMax: Type.Integer({
          minimum: 1,
          maximum: 1000,
          default: 500,
          description:
            'Requests in one transaction; 1 gives each request a transaction of its own.',
        }),
      },
      { additionalProperties: false },
    ),
    witness: Type.Optional(WitnessConfig),
    packagesDir: Type.Optional(
      Type.String({
        description:
          'Directory of the contract packages that organisations install; beside the ledger when absent.',
      }),
    ),
    highSAllowed: Type.Boolean({
      default: true,
      description: 'Whether client signatures may have a high s, as RFC 7515 allows.',
    }),
    portsFile: Type.Optional(
      Type.String({ description: 'Where to write the ports taken, as JSON, once listening.' }),
    ),
    logLevel: Type.String({ default: 'info', description: 'pino’s level.' }),
  },
  { additionalProperties: false },
);
export type ManagerConfig = Static<typeof ManagerConfig>;
