import { Context, State, decimal, jsonText, packFields, unpackFields } from 'countersign';
import { Deposit } from './deposit';
import { stepKey } from './parse';

/**
 * One thing that happened to a digest. Stored as packed fields under `step/<digest>/<number>`; the
 * first of a deposit only when a second follows: until then the deposit itself says all of it.
 */
export class Step {
  action: string;
  from: string;
  to: string;
  reason: string;
  requestId: string = Context.requestId();
  timeMs: i64 = Context.timeMs();

  constructor(action: string, from: string, to: string, reason: string) {
    this.action = action;
    this.from = from;
    this.to = to;
    this.reason = reason;
  }

  /** The first step of a deposit. @param owner who deposited it. */
  static first(deposit: Deposit, owner: string): Step {
    const step = new Step('deposited', '', owner, '');
    step.requestId = deposit.requestId;
    step.timeMs = deposit.timeMs;
    return step;
  }

  key(digest: string, step: i32): string {
    return stepKey(digest, step);
  }

  pack(): Uint8Array {
    const timeMs = decimal(this.timeMs);
    return packFields([this.action, this.requestId, timeMs, this.from, this.to, this.reason]);
  }
}

/** Steps in one answer, and how long it may be before it stops early: a result has 64 KiB. */
const stepsMax = 100;
const jsonLengthMax = 16 * 1024;

/** `next` is the number of the first step that did not fit, null when all are there. */
export function historyJson(deposit: Deposit, fromStep: i32): string {
  if (deposit.stepCount == 1) {
    const only = fromStep == 0 ? stepJson(0, Step.first(deposit, deposit.owner).pack()) : '';
    return `{"digest":"${deposit.digest}","steps":[${only}],"next":null}`;
  }
  let steps = '';
  let step = fromStep;
  const range = State.range(
    stepKey(deposit.digest, fromStep),
    stepKey(deposit.digest, 99999999),
    stepsMax,
  );
  while (steps.length < jsonLengthMax && range.next()) {
    if (steps != '') steps += ',';
    steps += stepJson(step, range.value());
    step += 1;
  }
  const next = step < deposit.stepCount ? decimal(step) : 'null';
  return `{"digest":"${deposit.digest}","steps":[${steps}],"next":${next}}`;
}

function stepJson(step: i32, packed: Uint8Array): string {
  const fields = unpackFields(packed);
  return (
    `{"step":${decimal(step)},"action":"${fields[0]}","requestId":${jsonText(fields[1])}` +
    `,"timeMs":${fields[2]},"from":${textOrNull(fields[3])},"to":${textOrNull(fields[4])}` +
    `,"reason":${textOrNull(fields[5])}}`
  );
}

function textOrNull(text: string): string {
  return text == '' ? 'null' : jsonText(text);
}
