import { KeyType, ObjectClass } from 'graphene-pk11';
import type { Session, SessionObject } from 'graphene-pk11';
import { toHex } from '#base';
import { importTokenPoint } from '#crypto';
import { slotOf, withLogin, withModule } from './token-session.ts';
import type { ListedKey } from './token-spec.ts';

/** Reads every private key of the token with its attributes. */
export function listKeys(module: string, label: string, pin: string): Promise<ListedKey[]> {
  return withModule(module, (loaded) =>
    withLogin(slotOf(loaded, label), 'user', pin, (session) =>
      objectsOf(session, ObjectClass.PRIVATE_KEY).map((key) => describeKey(session, key)),
    ),
  );
}

function objectsOf(session: Session, objectClass: ObjectClass): SessionObject[] {
  const found = session.find({ class: objectClass });
  return Array.from({ length: found.length }, (_unused, index) => found.items(index));
}

function describeKey(session: Session, key: SessionObject): ListedKey {
  const id = key.getAttribute('id') as Buffer;
  const flag = (name: string) => key.getAttribute(name) as boolean;
  return {
    label: key.getAttribute('label') as string,
    id: toHex(id),
    publicKey: publicKeyOf(session, id),
    attributes: {
      token: flag('token'),
      private: flag('private'),
      sensitive: flag('sensitive'),
      alwaysSensitive: flag('alwaysSensitive'),
      extractable: flag('extractable'),
      neverExtractable: flag('neverExtractable'),
      local: flag('local'),
      modifiable: flag('modifiable'),
      sign: flag('sign'),
      decrypt: flag('decrypt'),
    },
  };
}

function publicKeyOf(session: Session, id: Buffer): string {
  const found = session.find({ class: ObjectClass.PUBLIC_KEY, keyType: KeyType.EC, id });
  if (found.length !== 1) return '';
  return toHex(importTokenPoint(found.items(0).getAttribute('pointEC') as Buffer).spki);
}
