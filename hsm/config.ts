import { Type, limits } from '#base';
import type { Static } from '#base';
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
    caFile: Type.Optional(
      path(
        'PEM of the CAs, roots and intermediates, that may have issued the certificate; absent: ' +
          'whoever issued it, which the peers then find out',
      ),
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
    reportSocket: Type.Optional(
      path('Unix socket that tells how the token is, and signs nothing; for monitoring'),
    ),
    module: path("PKCS#11 module, loaded into the token's own processes"),
    softhsmConfig: Type.Optional(path("SoftHSM's configuration file, in place of SOFTHSM2_CONF")),
    moduleEnvironment: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          'environment variables that the module reads, such as TPM2_PKCS11_STORE; the processes ' +
          'of the token get no others. Never a PIN: whoever may list processes can read them',
      }),
    ),
    tokenLabel: Type.String({ minLength: 1, maxLength: 32, description: 'label of the one token' }),
    pinFile: path('file with the user PIN, mode 0600; read at login only'),
    mode: Type.Union([Type.Literal('serving'), Type.Literal('provisioning')], {
      default: 'serving',
      description: 'provisioning: certificate requests only; serving: everything else only',
    }),
    processes: Type.Integer({
      minimum: 1,
      maximum: limits.tokenProcessesMax,
      default: 1,
      description:
        'processes that sign side by side, beside one that stands by. A token in software signs ' +
        'as fast as cores allow with one for each core; one behind a network needs one',
    }),
    sessions: Type.Integer({
      minimum: 1,
      maximum: limits.signSessionsMax,
      default: 1,
      description:
        'sessions of each process, a thread each. 1 is best for SoftHSM, whose threads share a ' +
        'lock; a token behind a network needs signatures per second wanted times its latency in ' +
        'seconds, and not more than it allows',
    }),
    anchor: Type.Optional(
      Type.Object(
        {
          tcti: Type.String({ minLength: 1, description: 'how tpm2-tools reach the TPM' }),
          nvIndex: Type.String({ pattern: '^0x[0-9a-fA-F]{1,8}$', description: 'of the counter' }),
          authFile: path("file with the index's own authorisation value, mode 0600"),
          startValue: Type.String({
            pattern: '^[0-9]{1,20}$',
            description: 'what the counter stood at when it was made for this host',
          }),
        },
        {
          additionalProperties: false,
          description:
            'a TPM 2.0 counter that shows a guard file restored from a copy. Without it only the ' +
            'blocks that are seen elsewhere show it',
        },
      ),
    ),
    custody: Type.Optional(
      Type.Object(
        {
          operatorPolicyFile: path('who may order what; taken up once, then changed by order only'),
          auditDir: path('directory of the audit log, on a local disk: audit.jsonl'),
          adminSocket: path('Unix socket that takes orders; each is refused without approvals'),
        },
        { additionalProperties: false, description: 'absent: the host carries out no orders' },
      ),
    ),
    ledger: Type.Optional(
      Type.Object(
        {
          channel: label('the channel that has the rotations of the keys'),
          mspid: label('MSP of its ordering service'),
          caFile: path('PEM of the CAs, roots and intermediates, of the ordering service'),
        },
        {
          additionalProperties: false,
          description:
            'whose block signatures show that a rotation is on the ledger; absent: no old version ' +
            'of a key is destroyed',
        },
      ),
    ),
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
