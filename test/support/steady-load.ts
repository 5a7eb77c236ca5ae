import type { TestClient, TestNetwork } from './test-network.ts';

/** What was answered to the requests that were posted while something else went on. */
export interface LoadReport {
  readonly requests: number;
  /** Answers that are no success, as many as there were, and the first of them. */
  readonly failed: number;
  readonly firstFailure: string | undefined;
  readonly seconds: number;
}

/**
 * Posts deposits without a pause for as long as something goes on.
 *
 * @param callers each has one call under way, of so many requests.
 */
export async function underLoad(
  network: TestNetwork,
  client: TestClient,
  { callers, requestsPerCall }: { callers: number; requestsPerCall: number },
  during: () => Promise<unknown>,
): Promise<LoadReport> {
  const done = new AbortController();
  let requests = 0;
  let failed = 0;
  let firstFailure: string | undefined;
  const note = (status: number, answer: unknown) => {
    requests += 1;
    if (status === 200) return;
    failed += 1;
    firstFailure ??= JSON.stringify(answer).slice(0, 300);
  };
  const call = async () => {
    const signed = Array.from({ length: requestsPerCall }, () => client.sign('notary', deposit()));
    const [first = ''] = signed;
    if (requestsPerCall === 1) {
      const { status, body } = await network.service.post(first);
      note(status, body);
      return;
    }
    const lines = (await network.service.postMany(signed)) as { status: number }[];
    for (const line of lines) note(line.status, line);
    // An answer that is missing is none.
    for (let missing = lines.length; missing < signed.length; missing += 1) note(0, 'no answer');
  };
  const calling = async () => {
    while (!done.signal.aborted) await call();
  };
  const startMs = performance.now();
  const calls = Promise.all(Array.from({ length: callers }, calling));
  try {
    await Promise.race([during(), calls]);
  } finally {
    done.abort();
  }
  await calls;
  return { requests, failed, firstFailure, seconds: (performance.now() - startMs) / 1000 };
}

let deposits = 0;

/** One that was not made before. */
function deposit(): [string, ...string[]] {
  deposits += 1;
  return ['deposit', deposits.toString(16).padStart(64, '0'), 'x.txt', 'text/plain'];
}
