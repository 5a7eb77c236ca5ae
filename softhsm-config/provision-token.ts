import { randomBytes } from 'node:crypto';
import { KeyGenMechanism, KeyType, ObjectClass } from 'graphene-pk11';
import type { Module, Session } from 'graphene-pk11';
import { toHex } from '#base';
import { buildCsr, importTokenPoint } from '#crypto';
import { signInToken } from './sign-in-token.ts';
import { slotOf, withLogin, withModule } from './token-session.ts';
import type { ProvisionedKey, ProvisionSpec } from './token-spec.ts';

type KeySpec = ProvisionSpec['keys'][number];

/** PKCS#11 v3.1, C_InitToken: blank-padded, not terminated. */
const tokenLabelBytes = 32;
/** DER of the OID 1.2.840.10045.3.1.7, prime256v1. */
const p256Parameters = Buffer.from('06082a8648ce3d030107', 'hex');

/**
 * Makes the token and its keys; SOFTHSM2_CONF names the configuration already.
 *
 * @param module path of the PKCS#11 module.
 * @returns public halves and certificate requests; the private halves never leave the token.
 */
export async function provisionToken(
  spec: ProvisionSpec,
  module: string,
  pins: { user: string; securityOfficer: string },
): Promise<ProvisionedKey[]> {
  await withModule(module, (loaded) => initialiseToken(loaded, spec.label, pins));
  // Initialising moves the token to another slot, which only a fresh start of the module shows.
  return withModule(module, (loaded) =>
    withLogin(slotOf(loaded, spec.label), 'user', pins.user, async (session) => {
      const keys: ProvisionedKey[] = [];
      for (const key of spec.keys) keys.push(await generateKey(session, key));
      return keys;
    }),
  );
}

function initialiseToken(
  module: Module,
  label: string,
  pins: { user: string; securityOfficer: string },
): Promise<void> {
  // SoftHSM always shows one slot more than it has tokens.
  const free = module.getSlots(0, true);
  // Not Slot.initToken: it expects a label back, and it does not pad the label to the 32 bytes that
  // C_InitToken reads.
  free.lib.C_InitToken(free.handle, pins.securityOfficer, label.padEnd(tokenLabelBytes));
  const slot = slotOf(module, label);
  return withLogin(slot, 'securityOfficer', pins.securityOfficer, (session) =>
    session.initPin(pins.user),
  );
}

async function generateKey(
  session: Session,
  { label, role, subject }: KeySpec,
): Promise<ProvisionedKey> {
  const id = randomBytes(16);
  const pair = session.generateKeyPair(
    KeyGenMechanism.EC,
    {
      class: ObjectClass.PUBLIC_KEY,
      keyType: KeyType.EC,
      label,
      id,
      token: true,
      private: false,
      modifiable: false,
      verify: true,
      encrypt: false,
      wrap: false,
      paramsEC: p256Parameters,
    },
    // All of it said: SoftHSM's own default for CKA_SENSITIVE is false, and nothing corrects it later.
    {
      class: ObjectClass.PRIVATE_KEY,
      keyType: KeyType.EC,
      label,
      id,
      token: true,
      private: true,
      sensitive: true,
      extractable: false,
      modifiable: false,
      sign: true,
      signRecover: false,
      decrypt: false,
      derive: false,
      unwrap: false,
    },
  );
  const publicKey = importTokenPoint(pair.publicKey.getAttribute('pointEC') as Buffer);
  const request = { subject, publicKeySpki: publicKey.spki };
  const csr = await buildCsr(request, (content) => signInToken(session, pair.privateKey, content));
  return { label, role, publicKey: toHex(publicKey.spki), csr: toHex(csr) };
}
