/** Admission over a real ledger, with a registry of the test's choice. */
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Fault, silentLog } from '#base';
import type { Log } from '#base';
import { Admission } from '../../manager/admission.ts';
import { updateRegistry } from '../../manager/registry-file.ts';
import type { ClientRegistry } from '../../manager/registry-file.ts';
import { Whitelist } from '../../manager/whitelist.ts';
import { channelId, makeChannel, makeMember, startMs } from './channel.ts';
import { openTestLedger } from './test-ledger.ts';

export const channel = await makeChannel();
export const { ledger, commit } = await openTestLedger(t, channel);
export const org1 = channel.authorities.Org1MSP;
export const clerk = await makeMember(org1, 'Org1MSP');

export const byKid = { alg: 'ES256', kid: 'clerk-1' } as const;
export const byCertificate = { alg: 'ES256', x5c: [clerk.certificate.der] } as const;

export const deposit = { channel: channelId, contract: 'notary', functions: ['deposit'] };

/** The clerk's entry with these members put over it. */
export function clerkEntry(changes: Partial<ClientRegistry['clients'][number]> = {}) {
  const status = 'active' as const;
  return { kid: 'clerk-1', certificate: clerk.pem, status, grants: [deposit], ...changes };
}

export interface Setting {
  registry: Partial<ClientRegistry>;
  pending: string[];
  highSAllowed: boolean;
  log: Log;
}

export function admissionOf(t: Test, changes: Partial<Setting> = {}): Admission {
  const { registry = { clients: [clerkEntry()] }, pending = [], ...rest } = changes;
  const file = join(t.testdir(), 'clients.json');
  updateRegistry(file, (empty) => ({ ...empty, ...registry }));
  const clock = { nowMs: () => startMs };
  return new Admission({
    channelConfig: () => channel.config,
    whitelist: new Whitelist({ file, clock, log: silentLog }),
    ledger,
    isPending: (id) => pending.includes(id),
    highSAllowed: true,
    log: silentLog,
    ...rest,
  });
}

/** What a request is refused with; it fails the test when it is admitted. */
export function refusal(admission: Admission, bytes: Uint8Array, nowMs = startMs): Fault {
  try {
    admission.admit(bytes, nowMs);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('it was admitted');
}
