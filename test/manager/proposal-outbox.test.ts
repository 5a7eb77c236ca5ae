import t from 'tap';
import { limits, utf8 } from '#base';
import { ProposalOutcome, ProposalTask } from '#formats';
import { ProposalOutbox } from '../../manager/proposal-outbox.ts';

function task(text: string): ProposalTask {
  return { ...ProposalTask.initial(), proposal: utf8(text) };
}

/** Calls to the endorser that a test answers by hand. */
class HeldCalls {
  readonly calls: {
    endorser: string;
    texts: string[];
    answer: (outcomes: Partial<ProposalOutcome>[]) => void;
    fail: (error: Error) => void;
  }[] = [];

  endorseProposals(endorser: string, tasks: ProposalTask[]): Promise<ProposalOutcome[]> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        endorser,
        texts: tasks.map(({ proposal }) => new TextDecoder().decode(proposal)),
        answer: (outcomes) =>
          resolve(outcomes.map((one) => ({ ...ProposalOutcome.initial(), ...one }))),
        fail: reject,
      });
    });
  }

  /** Waits until the calls that are due have been made. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  }
}

const answered = (status: number) => ({ response: { status, message: '', payload: utf8('') } });

t.test('proposals of one turn go out together, those behind them with the next', async (t) => {
  const held = new HeldCalls();
  const outbox = new ProposalOutbox(held);
  const sent = ['1', '2', '3'].map((text) => outbox.send('endorser-1', task(text)));
  await held.settle();
  t.same(
    held.calls.map(({ texts }) => texts),
    [['1', '2', '3']],
  );
  const second = outbox.send('endorser-1', task('4'));
  await held.settle();
  const waiting = ['5', '6'].map((text) => outbox.send('endorser-1', task(text)));
  await held.settle();
  t.equal(held.calls.length, 2, 'two batches are under way at most');
  held.calls[0]?.answer([answered(201), answered(202), answered(203)]);
  t.same(
    (await Promise.all(sent)).map(({ response }) => response?.status),
    [201, 202, 203],
  );
  await held.settle();
  t.same(held.calls[2]?.texts, ['5', '6']);
  held.calls[1]?.answer([answered(204)]);
  held.calls[2]?.answer([answered(205), answered(206)]);
  t.equal((await second).response?.status, 204);
  t.same(
    (await Promise.all(waiting)).map(({ response }) => response?.status),
    [205, 206],
  );
});

t.test('each endorser has a way of its own', async (t) => {
  const held = new HeldCalls();
  const outbox = new ProposalOutbox(held);
  const sent = ['a', 'b'].map((name) => outbox.send(name, task(name)));
  await held.settle();
  t.same(
    held.calls.map(({ endorser, texts }) => [endorser, ...texts]),
    [
      ['a', 'a'],
      ['b', 'b'],
    ],
  );
  for (const call of held.calls) call.answer([answered(200)]);
  await Promise.all(sent);
});

t.test('what did not fit goes out again, and the first of a batch is never put off', async (t) => {
  const held = new HeldCalls();
  const outbox = new ProposalOutbox(held);
  const full = { faultCode: 'ENDORSER_BUNDLE_FULL', faultKind: 'busy', faultSentence: 'Full.' };
  const sent = ['1', '2'].map((text) => outbox.send('a', task(text)));
  await held.settle();
  held.calls[0]?.answer([answered(200), full]);
  t.equal((await sent[0])?.response?.status, 200);
  await held.settle();
  t.same(held.calls[1]?.texts, ['2']);
  held.calls[1]?.answer([full]);
  await t.rejects(sent[1]!, { code: 'ENDORSER_BUNDLE_FULL', kind: 'busy' });
});

t.test('a refusal is an answer, a failure is thrown as what it is', async (t) => {
  const held = new HeldCalls();
  const outbox = new ProposalOutbox(held);
  const facts = { faultCode: 'ENDORSER_X', faultKind: 'denied', faultSentence: 'No.' };
  const [refused, failed, unanswered] = ['1', '2', '3'].map((text) => outbox.send('a', task(text)));
  await held.settle();
  held.calls[0]?.answer([{ ...facts, isRefused: true }, facts]);
  t.match(await refused, { isRefused: true, faultCode: 'ENDORSER_X' });
  await t.rejects(failed!, { code: 'ENDORSER_X', kind: 'denied', message: 'No.' });
  await t.rejects(unanswered!, { code: 'MANAGER_ENDORSEMENT_MISSING' });
});

t.test('a call that fails fails its batch alone', async (t) => {
  const held = new HeldCalls();
  const outbox = new ProposalOutbox(held);
  const first = outbox.send('a', task('1'));
  await held.settle();
  const second = outbox.send('a', task('2'));
  await held.settle();
  held.calls[0]?.fail(new Error('gone'));
  held.calls[1]?.answer([answered(200)]);
  await t.rejects(first, { message: 'gone' });
  t.equal((await second).response?.status, 200);
});

t.test('a batch is bounded in number', async (t) => {
  const held = new HeldCalls();
  const outbox = new ProposalOutbox(held);
  const count = limits.proposalsPerTaskMax + 1;
  const sent = Array.from({ length: count }, (_none, index) =>
    outbox.send('a', task(String(index))),
  );
  await held.settle();
  t.same(
    held.calls.map(({ texts }) => texts.length),
    [limits.proposalsPerTaskMax],
  );
  held.calls[0]?.answer(Array.from({ length: count - 1 }, () => answered(200)));
  await held.settle();
  held.calls[1]?.answer([answered(200)]);
  await Promise.all(sent);
});
