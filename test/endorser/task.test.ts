import t from 'tap';
import { Fault, emptyBytes, utf8 } from '#base';
import {
  ChaincodeProposalPayload,
  ChannelHeader,
  SignatureHeader,
  buildProposal,
  bundleFunction,
} from '#formats';
import type { EndorseTask } from '#formats';
import { parseTask } from '../../endorser/task.ts';

const creator = utf8('relay');

function task(args = [utf8(bundleFunction), utf8('jws')], contract = 'notary'): EndorseTask {
  const nonce = new Uint8Array(24).fill(1);
  const proposal = buildProposal({
    channel: 'main',
    contract,
    args,
    creator,
    nonce,
    timeMs: 1_500,
  });
  return { ...proposal, targetNodes: [], clients: [] };
}

function withHeader(change: Partial<ChannelHeader>): EndorseTask {
  const made = task();
  const channelHeader = ChannelHeader.decode(made.channelHeader);
  return { ...made, channelHeader: ChannelHeader.encode({ ...channelHeader, ...change }) };
}

t.test('a task is read with its requests, its time and its contract', async (t) => {
  t.match(parseTask(task()), {
    channel: 'main',
    contract: 'notary',
    creator,
    timeMs: 1_500n,
    requests: [utf8('jws')],
  });
});

const contradictions: Record<string, EndorseTask> = {
  'header type': withHeader({ type: 1 }),
  epoch: withHeader({ epoch: 1n }),
  'transaction id': withHeader({ txId: '00' }),
  timestamp: withHeader({ timestamp: undefined }),
  'contract name': withHeader({ extension: emptyBytes }),
  function: task([utf8('another'), utf8('jws')]),
  'number of requests': task([utf8(bundleFunction)]),
  'transient map': {
    ...task(),
    proposalPayload: ChaincodeProposalPayload.encode({
      ...ChaincodeProposalPayload.decode(task().proposalPayload),
      transientMap: [{ key: 'a', value: utf8('b') }],
    }),
  },
};
for (const [what, wrong] of Object.entries(contradictions)) {
  t.test(`a task with a wrong ${what} is refused by that name`, async (t) => {
    t.throws(() => parseTask(wrong), { code: 'ENDORSER_TASK_INVALID', detail: { what } });
  });
}

t.test('a task that names one contract in its header and calls another is refused', async (t) => {
  const { proposalPayload } = task(undefined, 'seal');
  t.throws(() => parseTask({ ...task(), proposalPayload }), {
    code: 'ENDORSER_TASK_INVALID',
    detail: { what: 'contract name' },
  });
});

t.test('bytes behind a header are refused', async (t) => {
  const made = task();
  const signatureHeader = new Uint8Array([...made.signatureHeader, 0x1a, 0]);
  t.throws(() => parseTask({ ...made, signatureHeader }), {
    code: 'FORMATS_PROTOBUF_NOT_CANONICAL',
  });
  t.ok(SignatureHeader.decode(signatureHeader), 'which Go would read over');
});

t.test('a task with any byte changed is read or refused by a fault, never otherwise', async (t) => {
  const made = task();
  const parts = ['channelHeader', 'signatureHeader', 'proposalPayload'] as const;
  let refused = 0;
  for (const part of parts) {
    for (let at = 0; at < made[part].length; at += 1) {
      for (const bit of [1, 0x80]) {
        const bytes = Uint8Array.from(made[part]);
        bytes[at] = bytes[at]! ^ bit;
        try {
          parseTask({ ...made, [part]: bytes });
        } catch (error) {
          refused += 1;
          if (!(error instanceof Fault)) throw error;
        }
      }
    }
  }
  t.ok(refused > 0, `${refused} refused`);
});
