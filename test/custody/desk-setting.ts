import { sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '#base';
import { importPublicKey, normaliseEcdsa, pemBlocks } from '#crypto';
import { CustodyLog, OrderDesk, PolicyFile, auditLogName, writeSignedOrder } from '#custody';
import type { OrderActions, OrderPayload } from '#custody';
import { ecKeyPair, operatorSetting } from '../support/operators.ts';

/** What a host has of orders, with a software key in the token's place. */
export interface OpenDesk extends Disposable {
  readonly log: CustodyLog;
  readonly desk: OrderDesk;
}

/** A directory with a policy and an audit log, to be opened again and again. */
export class DeskSetting {
  readonly dir: string;
  readonly operators = operatorSetting({
    rules: {
      'key.destroy': { approvals: 3, delaySeconds: 3600 },
      'policy.change': { approvals: 2, delaySeconds: 0 },
    },
  });
  readonly checkpointKey = ecKeyPair();
  readonly publicKey = importPublicKey(
    pemBlocks(this.checkpointKey.publicPem, 'PUBLIC KEY')[0] as Uint8Array,
  );
  readonly logName = auditLogName('test-zone', 'org1');
  /** What actions were called with, in order. */
  readonly done: string[] = [];
  readonly outcomes: string[] = [];
  readonly clock = { nowMs: () => this.nowMs };
  nowMs = 5_000_000;
  /** In place of the checkpoint's signature, when the token is away. */
  isTokenAway = false;
  actions: OrderActions = {
    'key.rotate': ({ key = '' }) => {
      this.done.push(`rotate ${key}`);
      return Promise.resolve({ fingerprint: `of ${key}` });
    },
    'key.destroy': ({ key = '' }) => {
      this.done.push(`destroy ${key}`);
      return Promise.resolve({});
    },
  };

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
    writeFileSync(this.policyPath, this.operators.policyBytes);
  }

  get auditPath(): string {
    return join(this.dir, 'audit.jsonl');
  }

  get policyPath(): string {
    return join(this.dir, 'operators.json');
  }

  /** As a host opens it when it starts. */
  open(): OpenDesk {
    const policyFile = new PolicyFile(this.policyPath);
    const log = new CustodyLog({
      path: this.auditPath,
      name: this.logName,
      token: 'org1',
      clock: this.clock,
      sign: (statement) => this.#sign(statement),
    });
    try {
      policyFile.settle(log);
      const { clock, actions } = this;
      const onOutcome = (outcome: string) => this.outcomes.push(outcome);
      const desk = new OrderDesk({ log, clock, policyFile, actions, onOutcome });
      return { log, desk, [Symbol.dispose]: () => log.close() };
    } catch (error) {
      log.close();
      throw error;
    }
  }

  payload(changes: Partial<OrderPayload> = {}): OrderPayload {
    return {
      typ: 'countersign-order/1',
      zone: 'test-zone',
      token: 'org1',
      policy: this.operators.policy.hash,
      sequence: 1,
      action: 'key.rotate',
      parameters: { key: 'node0' },
      notBefore: 4_000,
      expiresAt: 20_000,
      ...changes,
    };
  }

  /** A signed order, approved by these operators. */
  order(
    changes: Partial<OrderPayload> = {},
    operators: readonly string[] = ['alice', 'bob'],
  ): Uint8Array {
    const bytes = utf8(JSON.stringify(this.payload(changes)));
    const approvals = operators.map((one) => this.operators.approve(one, bytes));
    return utf8(writeSignedOrder(bytes, approvals));
  }

  #sign(statement: Uint8Array) {
    if (this.isTokenAway) return Promise.reject(new Error('the token is away'));
    const key = this.checkpointKey.privateKey;
    const raw = sign('sha256', statement, { key, dsaEncoding: 'ieee-p1363' });
    return Promise.resolve({ key: 'node0', signature: normaliseEcdsa(raw, 'P-256') });
  }
}
