/** What the manager answers, as far as tests look at it. */
import type { ServiceAnswer } from '#cli';

export interface Answer {
  requestId: string;
  status: number;
  state: 'committed' | 'pending' | 'refused';
  outcome: { validation: string; status: number; message: string; code?: string };
  payloads: { text: string }[];
  block: number;
  transaction: string;
  requestIndex: number;
  receipt: Record<string, unknown>;
  problem?: { code: string; status: number };
}

export interface BlockView {
  number: number;
  headerHash: string;
  commitHash: string;
  transactions: { txId: string; validation: string; contract?: string; requests?: string[] }[];
}

/** The answer to one posted request that was not refused. */
export function answerOf({ status, body }: ServiceAnswer): Answer {
  const answer = body as Answer;
  if (answer.state === undefined) {
    throw new Error(`refused with ${status}: ${JSON.stringify(body).slice(0, 500)}`);
  }
  return answer;
}

/** The code of the fault that refused a request or, on the ledger, failed it. */
export function faultCode(answer: unknown): string {
  const { code, problem, outcome } = answer as Partial<Answer> & { code?: string };
  return code ?? problem?.code ?? outcome?.code ?? 'none';
}
