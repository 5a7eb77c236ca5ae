import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '#base';
import type { ServiceAnswer } from '#cli';
import type { TestNetwork } from '../support/test-network.ts';
import { faultCode } from './answers.ts';
import type { Answer } from './answers.ts';

const retryMs = 50;
const triesMax = 2_000;

/** Refusals after which the same request may be posted again, as their codes say. */
const passing = new Set(['MANAGER_REQUEST_PENDING', 'MANAGER_BUNDLE_CONFLICTING']);

/**
 * Posts a request again and again, as a client does whose service crashes, until it knows what
 * became of it.
 *
 * @returns the answer to the post, or to the question for the outcome when the answer was lost.
 */
export async function persist(network: TestNetwork, jws: string): Promise<Answer> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const answer = await attempt(() => network.service.post(jws));
    if (answer?.status === 200) return answer.body as Answer;
    const code = faultCode(answer?.body ?? {});
    if (code === 'MANAGER_REQUEST_REPLAYED') return executed(network, answer!);
    const isFinal = answer !== undefined && answer.status < 500 && answer.status !== 202;
    if (isFinal && !passing.has(code)) {
      throw new Error(`refused for good: ${JSON.stringify(answer.body)}`);
    }
    await wait(retryMs);
  }
  throw new Error('a request finds no end');
}

/** Its answer was lost, but it had been executed. */
async function executed(network: TestNetwork, refusal: ServiceAnswer): Promise<Answer> {
  const { requestId } = refusal.body as { requestId: string };
  for (let tries = 0; tries < triesMax; tries += 1) {
    const found = await attempt(() => network.service.get(`/v1/requests/${requestId}`));
    if (found?.status === 200) return found.body as Answer;
    await wait(retryMs);
  }
  throw new Error(`the outcome of ${requestId} is not to be had`);
}

/** @returns undefined when the service was not there, or went away before it had answered. */
async function attempt(call: () => Promise<ServiceAnswer>): Promise<ServiceAnswer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Fault && error.code === 'CLI_CALL_FAILED') return undefined;
    throw error;
  }
}
