import { ObjectClass } from 'graphene-pk11';
import type { PrivateKey, Session } from 'graphene-pk11';
import { emptyBytes, fromBase64Url, toHex } from '#base';
import { buildCsr, importTokenPoint } from '#crypto';
import { ceremonySteps, parseAuditLine } from '#custody';
import { caCallContent } from './ca-call.ts';
import { fault } from './faults.ts';
import { signInToken } from './sign-in-token.ts';
import type { TokenTask } from './token-process.ts';
import { slotOf, withLogin, withModule } from './token-session.ts';

type KeyPlace = Task<'csr' | 'authorise' | 'prove'>;
type Task<Kind extends TokenTask['kind']> = Extract<TokenTask, { kind: Kind }>;

/** A certificate request that the key signs. @returns PKCS#10, DER in hex. */
export function signCsr(task: Task<'csr'>, pin: string): Promise<string> {
  return withKey(task, pin, async (session, key) => {
    const id = key.getAttribute('id') as Buffer;
    const publicHalf = session.find({ class: ObjectClass.PUBLIC_KEY, id });
    if (publicHalf.length !== 1) throw fault('SOFTHSM_KEY_ABSENT', { key: task.key });
    const point = publicHalf.items(0).getAttribute('pointEC') as Buffer;
    const request = { subject: task.subject, publicKeySpki: importTokenPoint(point).spki };
    return toHex(await buildCsr(request, (content) => signInToken(session, key, content)));
  });
}

/** One call to a Fabric CA, by the key's certificate. @returns the signature, DER in hex. */
export function signCaCall(task: Task<'authorise'>, pin: string): Promise<string> {
  return withKey(task, pin, (session, key) =>
    toHex(signInToken(session, key, caCallContent(task.call))),
  );
}

/** The line of a ceremony that tells of this very key. @returns the signature, DER in hex. */
export function signCeremonyLine(task: Task<'prove'>, pin: string): Promise<string> {
  const line = fromBase64Url(task.line) ?? emptyBytes;
  const { event, facts } = parseAuditLine(line);
  const isAboutKey = event === ceremonySteps.generated && facts['label'] === task.key;
  if (!isAboutKey) throw fault('SOFTHSM_LINE_FOREIGN', { key: task.key, event });
  return withKey(task, pin, (session, key) => toHex(signInToken(session, key, line)));
}

function withKey<Value>(
  { module, label, key }: KeyPlace,
  pin: string,
  use: (session: Session, key: PrivateKey) => Value | Promise<Value>,
): Promise<Value> {
  return withModule(module, (loaded) =>
    withLogin(slotOf(loaded, label), 'user', pin, (session) => {
      const found = session.find({ class: ObjectClass.PRIVATE_KEY, label: key });
      if (found.length !== 1) throw fault('SOFTHSM_KEY_ABSENT', { key, count: found.length });
      return use(session, found.items(0).toType<PrivateKey>());
    }),
  );
}
