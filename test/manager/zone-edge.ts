/** The manager's edge as clients meet it, with a pipeline whose outcomes a test decides. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { silentLog } from '#base';
import type { Fault, Log } from '#base';
import type { Ledger } from '#ledger';
import { Admission } from '../../manager/admission.ts';
import { fault } from '../../manager/faults.ts';
import { buildHttp } from '../../manager/http.ts';
import type { HttpOptions } from '../../manager/http.ts';
import type { AdmittedRequest, Pipeline, RequestOutcome } from '../../manager/pipeline-types.ts';
import { updateRegistry } from '../../manager/registry-file.ts';
import { Submissions } from '../../manager/submissions.ts';
import { Whitelist } from '../../manager/whitelist.ts';
import { ManualClock, channelId } from './channel.ts';
import type { TestChannel, TestMember } from './channel.ts';

/** Holds every request until the test settles it. */
export class HeldPipeline implements Pipeline {
  readonly submitted: AdmittedRequest[] = [];
  readonly #settle = new Map<string, (outcome: RequestOutcome) => void>();
  depthMax = Number.POSITIVE_INFINITY;
  onSubmit: (admitted: AdmittedRequest) => void = () => {};

  submit(admitted: AdmittedRequest): Promise<RequestOutcome> {
    if (this.#settle.size >= this.depthMax) throw fault('MANAGER_QUEUE_FULL');
    this.submitted.push(admitted);
    return new Promise((resolve) => {
      this.#settle.set(admitted.request.requestId, resolve);
      this.onSubmit(admitted);
    });
  }

  isPending(requestId: string): boolean {
    return this.#settle.has(requestId);
  }

  settle(outcome: RequestOutcome): void {
    this.#settle.get(outcome.requestId)?.(outcome);
    this.#settle.delete(outcome.requestId);
  }

  refuse(requestId: string, reason: Fault): void {
    this.settle({ requestId, state: 'refused', fault: reason });
  }
}

export interface EdgeOptions {
  channel: TestChannel;
  clerk: TestMember;
  ledger: Ledger;
  listen?: HttpOptions['listen'];
  bounds?: HttpOptions['bounds'];
  log?: Log;
}

export function edgeOf(t: Test, options: EdgeOptions) {
  const { channel, clerk, ledger, log = silentLog } = options;
  const file = join(t.testdir(), 'clients.json');
  const grants = [{ channel: channelId, contract: 'notary', functions: ['deposit'] }];
  updateRegistry(file, ({ organisations }) => ({
    clients: [{ kid: 'clerk-1', certificate: clerk.pem, status: 'active', grants }],
    organisations,
  }));
  const clock = new ManualClock();
  const pipeline = new HeldPipeline();
  const admission = new Admission({
    channelConfig: () => channel.config,
    whitelist: new Whitelist({ file, clock, log }),
    ledger,
    isPending: (requestId) => pipeline.isPending(requestId),
    highSAllowed: true,
    log,
  });
  const http = buildHttp({
    stages: () => ({}),
    listen: options.listen ?? { host: '127.0.0.1', port: 0 },
    submissions: new Submissions({ admission, pipeline, clock }),
    ledger,
    channelConfig: () => channel.config,
    clock,
    log,
    ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
  });
  t.teardown(() => http.close());
  return { http, pipeline, clock };
}
