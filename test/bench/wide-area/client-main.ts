import { serviceOf, openNetwork } from '#cli';
import type { ClientProfile } from '../../interop/client-profile.ts';
import { sdkClient } from '../../interop/sdk-client.ts';
import { valueOf } from '../load/load-program.ts';
import { answerQuestions, sharedNowMs } from './remote-part.ts';

/** Through a gateway, or by requests that were signed before. */
export type ClientStart = { profile: ClientProfile } | { networkDir: string };

export type ClientQuestion = { key: string } | { request: string };

export interface Committed {
  startMs: number;
  endMs: number;
  block: number;
}

/** Runs in a client's domain: one transaction for each question. */
answerQuestions(async (given) => {
  const start = given as ClientStart;
  if ('networkDir' in start) {
    const service = serviceOf(openNetwork(start.networkDir));
    return (asked) =>
      timed(async () => {
        const question = asked as ClientQuestion;
        if (!('request' in question)) throw new TypeError('a request is asked for');
        const { status, body } = await service.post(question.request);
        if (status !== 200) throw new Error(JSON.stringify(body));
        return (body as { block: number }).block;
      });
  }
  const { profile } = start;
  const { gateway } = sdkClient(profile);
  const contract = gateway.getNetwork(profile.channel).getContract(profile.contract);
  return (asked) =>
    timed(async () => {
      const question = asked as ClientQuestion;
      if (!('key' in question)) throw new TypeError('a key is asked for');
      const create = { arguments: [question.key, valueOf(0)] };
      const status = await (await contract.submitAsync('create', create)).getStatus();
      if (!status.successful) throw new Error(`committed with code ${status.code}`);
      return Number(status.blockNumber);
    });
});

async function timed(transaction: () => Promise<number>): Promise<Committed> {
  const startMs = sharedNowMs();
  const block = await transaction();
  return { startMs, endMs: sharedNowMs(), block };
}
