import { Type } from '#base';
import type { Static } from '#base';

/** The endorser's configuration file; all paths are absolute. */
export const EndorserConfig = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'Name the manager knows this endorser by.' }),
    socket: Type.String({ description: 'Unix socket at which the manager calls.' }),
    ledgerDir: Type.String({ description: 'Directory of this endorser’s own copy of the ledger.' }),
    genesisFile: Type.String({
      description:
        'Block 0. Its policies are what this endorser trusts; take it from the operator.',
    }),
    signers: Type.Array(
      Type.Object(
        {
          socket: Type.String({ description: 'Unix socket of a signer host.' }),
          nodes: Type.Optional(
            Type.Array(Type.String(), {
              description: 'Key labels this endorser may use there; all node keys when absent.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      { description: 'The signer hosts that hold the keys of this endorser’s nodes.' },
    ),
    simulationWorkers: Type.Integer({
      minimum: 1,
      maximum: 64,
      default: 1,
      description: 'Threads that run contracts; bundles of different contracts run side by side.',
    }),
    logLevel: Type.String({ default: 'info', description: 'pino’s level.' }),
  },
  { additionalProperties: false },
);
export type EndorserConfig = Static<typeof EndorserConfig>;
