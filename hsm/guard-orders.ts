import { fromBase64, fromHex } from '#base';
import type { OrderActions } from '#custody';
import { fault } from './faults.ts';
import { readMarks } from './guard-marks.ts';
import type { BlockGuard } from './block-guard.ts';
import type { BlockMark } from './guard-record.ts';

type Parameters = Readonly<Record<string, string>>;

/** What operators can order of the guard. No order lowers a mark. */
export function guardOrders(guard: BlockGuard): OrderActions {
  return {
    /** `marks`: base64 of what another guard's host exported. */
    'guard.import': async (parameters) => {
      const bytes = fromBase64(parameters['marks'] ?? '');
      if (bytes === undefined || bytes.length === 0) throw missing('marks');
      const { marks, token, subject } = readMarks(bytes);
      await guard.raise(marks);
      return { token, subject, ...standing(guard, marks) };
    },
    /**
     * `channel`, `number`, `headerHash`: the newest block that peers have with this zone's signature. Signing
     * goes on from there after a record was found to be older than what was signed.
     */
    'guard.reset': async (parameters) => {
      const mark = readMark(parameters);
      await guard.raise([mark]);
      return standing(guard, [mark]);
    },
  };
}

function readMark(parameters: Parameters): BlockMark {
  const { channel = '', number = '', headerHash = '' } = parameters;
  const hash = fromHex(headerHash);
  if (channel === '') throw missing('channel');
  if (!/^(0|[1-9][0-9]{0,18})$/.test(number)) throw missing('number');
  if (hash?.length !== 32) throw missing('headerHash');
  return { channel, number: BigInt(number), headerHash: hash };
}

/** Where the guard stands now on the channels that were spoken of. */
function standing(guard: BlockGuard, marks: readonly BlockMark[]): Record<string, string> {
  const spokenOf = new Set(marks.map(({ channel }) => channel));
  const now = guard.marks.filter(({ channel }) => spokenOf.has(channel));
  return { marks: now.map(({ channel, number }) => `${channel} ${number}`).join(', ') };
}

function missing(parameter: string) {
  return fault('HSM_CALL_MALFORMED', { missing: parameter });
}
