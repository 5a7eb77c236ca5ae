import { Type } from 'typebox';
import type { Static } from 'typebox';
import { limits } from '#base';
import { signerRoles } from '#formats';
import { fault } from './faults.ts';

const path = (description: string) => Type.String({ minLength: 1, description });
const label = (description: string) => Type.String({ minLength: 1, maxLength: 64, description });

export const KeyConfig = Type.Object(
  {
    label: label('CKA_LABEL of the private key; one key must carry it'),
    role: Type.Enum(signerRoles, { description: 'decides which contents the key signs' }),
    mspid: label('MSP the certificate belongs to'),
    certificateFile: Type.Optional(
      path('PEM; absent only in provisioning mode, where the key waits for its certificate'),
    ),
    channels: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 249 }), {
        minItems: 1,
        description:
          'ordering keys: the channels whose blocks it signs. A block header does not name its ' +
          'channel, so a key for two channels signs blocks that either might take: prefer one',
      }),
    ),
  },
  { additionalProperties: false },
);
export type KeyConfig = Static<typeof KeyConfig>;

/** The configuration file of one signer host. */
export const SignerConfig = Type.Object(
  {
    socket: path('Unix socket to serve at; whoever may connect may have contents signed'),
    stateDir: path("this host's own directory on a local disk: guard records, refused PIN"),
    module: path('PKCS#11 module, loaded into this process'),
    softhsmConfig: Type.Optional(path("SoftHSM's configuration file, in place of SOFTHSM2_CONF")),
    tokenLabel: Type.String({ minLength: 1, maxLength: 32, description: 'label of the one token' }),
    pinFile: path('file with the user PIN, mode 0600; read at login only'),
    mode: Type.Union([Type.Literal('serving'), Type.Literal('provisioning')], {
      default: 'serving',
      description: 'provisioning: certificate requests only; serving: everything else only',
    }),
    sessions: Type.Integer({
      minimum: 1,
      maximum: limits.signSessionsMax,
      default: 1,
      description:
        '1: sign on the main thread, best for SoftHSM. More: a thread and a session each, for ' +
        'a token behind a network: signatures per second wanted times its latency in seconds. ' +
        'Only then is a call that never returns noticed here, and the process killed',
    }),
    logLevel: Type.String({ default: 'info', description: 'level name of pino' }),
    keys: Type.Array(KeyConfig, { minItems: 1, maxItems: limits.tokenKeysMax / 2 }),
  },
  { additionalProperties: false },
);
export type SignerConfig = Static<typeof SignerConfig>;

/** @throws HSM_CONFIG_CONTRADICTORY what a schema cannot say of the keys. */
export function checkKeyConfigs({ keys, mode }: SignerConfig): void {
  const labels = new Set<string>();
  for (const { label, role, certificateFile, channels } of keys) {
    const contradiction = (reason: string) =>
      fault('HSM_CONFIG_CONTRADICTORY', { key: label, reason });
    if (labels.has(label)) throw contradiction('a label twice');
    labels.add(label);
    if (mode === 'serving' && certificateFile === undefined) throw contradiction('no certificate');
    if ((role === 'ordering') !== (channels !== undefined)) throw contradiction('channels');
  }
}
