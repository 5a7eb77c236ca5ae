// Notary: a register of digests. Whoever deposits a digest first owns it; the owner passes it on or
// revokes it; every step stays on record.

import {
  Context,
  State,
  arg,
  argCount,
  check,
  emitBytes,
  expectArgs,
  setResult,
  setResultBytes,
  utf8,
} from 'countersign';
import { Deposit } from './deposit';
import { depositKey, parseDigest, parseStepNumber, parseText } from './parse';
import { Step, historyJson } from './step';

/** deposit(digest, name, mediaType): records a digest that nobody deposited before. */
export function deposit(): void {
  expectArgs(3);
  const digest = parseDigest(arg(0));
  const key = depositKey(digest);
  check(!State.has(key), 'This digest is already deposited.');
  const made = new Deposit(digest);
  made.name = parseText(arg(1), 'name', 1, 256);
  made.mediaType = parseText(arg(2), 'media type', 1, 128);
  made.owner = Context.clientId();
  made.timeMs = Context.timeMs();
  made.requestId = Context.requestId();
  record(made, new Step('deposited', '', made.owner, ''));
}

/** get(digest): what is on record of it now. */
export function get(): void {
  expectArgs(1);
  setResult(find(parseDigest(arg(0))).json());
}

/** history(digest[, fromStep]): every step in order, with the number to go on from when there are more. */
export function history(): void {
  expectArgs(1, 2);
  const found = find(parseDigest(arg(0)));
  const fromStep = argCount() == 2 ? parseStepNumber(arg(1)) : 0;
  setResult(historyJson(found, fromStep));
}

/** transfer(digest, newOwnerClientId): the owner gives the deposit to another client. */
export function transfer(): void {
  expectArgs(2);
  const found = findOwned(parseDigest(arg(0)));
  const newOwner = parseText(arg(1), 'new owner', 1, 512);
  check(newOwner.includes('::'), 'The new owner must be a client identity, mspid::subject.');
  check(newOwner != found.owner, 'The client already owns this digest.');
  const step = new Step('transferred', found.owner, newOwner, '');
  found.owner = newOwner;
  record(found, step);
}

/** revoke(digest, reason): the owner declares the deposit void; it stays on record as such. */
export function revoke(): void {
  expectArgs(2);
  const found = findOwned(parseDigest(arg(0)));
  const reason = parseText(arg(1), 'reason', 1, 1024);
  found.revoked = true;
  found.reason = reason;
  record(found, new Step('revoked', found.owner, '', reason));
}

function find(digest: string): Deposit {
  const packed = State.get(depositKey(digest));
  check(packed !== null, 'There is no deposit of this digest.');
  return Deposit.unpack(digest, packed!);
}

function findOwned(digest: string): Deposit {
  const found = find(digest);
  check(found.owner == Context.clientId(), 'Only the owner may do this.');
  check(!found.revoked, 'The deposit is revoked.');
  return found;
}

/** Writes the step and the deposit after it, tells the world and answers. */
function record(changed: Deposit, step: Step): void {
  const number = changed.stepCount;
  if (number == 1) {
    const first = Step.first(changed, step.from);
    State.put(first.key(changed.digest, 0), first.pack());
  }
  if (number > 0) State.put(step.key(changed.digest, number), step.pack());
  changed.stepCount = number + 1;
  State.put(depositKey(changed.digest), changed.pack());
  const json = utf8(changed.json());
  emitBytes(step.action, json);
  setResultBytes(json);
}
