import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '#base';
import { CustodyClient, writeSignedOrder } from '#custody';
import type { OrderAction, OrderAnswer, OrderPayload } from '#custody';
import type { SignerConfig } from '#hsm';
import { operatorSetting } from '../support/operators.ts';
import type { OperatorSetting } from '../support/operators.ts';
import type { TestToken } from '../support/softhsm.ts';

type Parameters = Readonly<Record<string, string>>;

/** What two of three operators order of the host of one token. */
export interface OrderSetting {
  readonly custody: NonNullable<SignerConfig['custody']>;
  readonly operators: OperatorSetting;
  /** The next order to the running host, approved. */
  readonly make: (action: OrderAction, parameters: Parameters) => Promise<Uint8Array>;
  readonly submit: (signed: Uint8Array) => Promise<OrderAnswer>;
  /** Both; what the action answered. */
  readonly order: (action: OrderAction, parameters: Parameters) => Promise<Parameters>;
}

/** @param changes of the operator policy; without any no action has a time-lock but the dangerous ones. */
export function orderSetting(
  token: TestToken,
  changes: Readonly<Record<string, unknown>> = {},
): OrderSetting {
  const operators = operatorSetting({ rules: {}, ...changes });
  const custody = {
    operatorPolicyFile: join(token.dir, 'operators.json'),
    auditDir: join(token.dir, 'audit'),
    adminSocket: join(token.dir, 'admin.sock'),
  };
  writeFileSync(custody.operatorPolicyFile, operators.policyBytes);
  const submit = async (signed: Uint8Array) => {
    using client = new CustodyClient(custody.adminSocket);
    return client.submit(signed);
  };
  const make = async (action: OrderAction, parameters: Parameters) => {
    using client = new CustodyClient(custody.adminSocket);
    const { zone, token: tokenLabel, policyHash, lastSequence } = await client.status();
    const nowSeconds = Math.floor(Date.now() / 1000);
    const payload: OrderPayload = {
      typ: 'countersign-order/1',
      zone,
      token: tokenLabel,
      policy: policyHash,
      sequence: lastSequence + 1,
      action,
      parameters: { ...parameters },
      notBefore: nowSeconds - 10,
      expiresAt: nowSeconds + 7200,
    };
    const bytes = utf8(JSON.stringify(payload));
    const approvals = ['alice', 'bob'].map((one) => operators.approve(one, bytes));
    return utf8(writeSignedOrder(bytes, approvals));
  };
  const order = async (action: OrderAction, parameters: Parameters) => {
    const answer = await submit(await make(action, parameters));
    return answer.state === 'executed' ? answer.result : {};
  };
  return { custody, operators, make, submit, order };
}
