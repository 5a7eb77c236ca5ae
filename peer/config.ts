import { Type } from '#base';
import type { Static } from '#base';

const closed = { additionalProperties: false };

const Tls = Type.Object(
  {
    certificateFile: Type.String({ description: 'PEM chain, leaf first.' }),
    keyFile: Type.String({ description: 'PEM private key, readable by this process only.' }),
  },
  closed,
);

/** A peer's configuration file; all paths are absolute. */
export const PeerConfig = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'Name of this peer in its log.' }),
    ledgerDir: Type.String({ description: 'Directory of this peer’s own copy of the ledger.' }),
    genesisFile: Type.String({
      description:
        'Block 0. It is all that this peer trusts; take it from the operator of the channel.',
    }),
    deliver: Type.Object(
      {
        host: Type.String({
          minLength: 1,
          description: 'Host blocks are pulled from; its TLS certificate must name it.',
        }),
        port: Type.Integer({ minimum: 1, maximum: 65535, description: 'Port of Deliver there.' }),
        caFile: Type.String({
          description: 'PEM of the authorities that its TLS certificate has to chain to.',
        }),
      },
      closed,
    ),
    identity: Type.Object(
      {
        mspid: Type.String({ minLength: 1, description: 'MSP id of this peer’s organisation.' }),
        certificateFile: Type.String({
          description:
            'PEM certificate it asks for blocks with: OU client, since who steals this key must ' +
            'not be able to endorse.',
        }),
        keyFile: Type.String({ description: 'PEM private key of that certificate.' }),
      },
      closed,
    ),
    http: Type.Object(
      {
        host: Type.String({
          default: '127.0.0.1',
          description: 'Address to listen on; without TLS one that only this machine reaches.',
        }),
        port: Type.Integer({ minimum: 0, maximum: 65535, description: '0 takes any free port.' }),
        tls: Type.Optional(Tls),
      },
      closed,
    ),
    portsFile: Type.Optional(
      Type.String({ description: 'Where to write the port taken, as JSON, once it serves.' }),
    ),
    logLevel: Type.String({ default: 'info', description: 'pino’s level.' }),
  },
  closed,
);
export type PeerConfig = Static<typeof PeerConfig>;
