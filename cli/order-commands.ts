import { writeFileSync } from 'node:fs';
import { checkConfig, limits, textOf, utf8 } from '#base';
import { Approval, orderActions, parseOperatorPolicy, parseSignedOrder } from '#custody';
import type { OperatorPolicy, OrderAction } from '#custody';
import { countOption, dirOption, textOption } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { sayJson, word } from './command.ts';
import type { Command, Say } from './command.ts';
import { fault } from './faults.ts';
import { readNamed } from './named-file.ts';
import { openNetwork } from './network-open.ts';
import { addApproval, approveOrder, custodyClient, mergeApprovals, newOrder } from './orders.ts';

const file = 'FILE';

/** Commands about operators and what they order. */
export const orderCommands: readonly [words: string, command: Command][] = [
  [
    'operator policy show',
    {
      form: '[--token ORG] [--operators FILE] [--dir DIR]',
      purpose: 'show who may order what of a token, and with how many approvals',
      run: (given, say) => showPolicy(policyOption(given, textOption(given, 'token')), say),
    },
  ],
  [
    'order create',
    {
      form: 'ACTION [NAME=VALUE|NAME=@FILE…] [--token ORG] [--valid-seconds N] [--out FILE] [--dir DIR]',
      purpose: `write an order to the host of a token; ACTION is one of ${orderActions.join(', ')}`,
      run: createOrder,
    },
  ],
  [
    'order show',
    {
      form: file,
      purpose: 'show what an order says and who has approved it',
      run: (given, say) => {
        const { payload, hash, approvals } = parseSignedOrder(readNamed(word(given, 0, file)));
        sayJson(say, { hash, ...payload, approvals: approvals.map(({ operator }) => operator) });
      },
    },
  ],
  [
    'order approve',
    {
      form: 'FILE --key FILE|--assertion FILE [--operators FILE] [--dir DIR]',
      purpose: 'add an operator’s approval: by their key, or as a security key’s assertion',
      run: approve,
    },
  ],
  [
    'order submit',
    {
      form: 'FILE [FILE…] [--dir DIR]',
      purpose: 'have an order carried out; several copies of it are put together',
      run: submit,
    },
  ],
  [
    'order list',
    {
      form: '[--token ORG] [--dir DIR]',
      purpose: 'show the newest orders to a token, and those that wait for their time-lock',
      run: async (given, say) => {
        using client = custodyClient(dirOption(given), textOption(given, 'token'));
        const { lastSequence, head, unsignedCount, waiting, orders } = await client.status();
        sayJson(say, { lastSequence, head, unsignedCount, waiting, orders });
      },
    },
  ],
];

async function createOrder(given: Arguments, say: Say): Promise<void> {
  const action = word(given, 0, 'ACTION');
  if (!isAction(action)) throw fault('CLI_USAGE_WRONG', { action });
  using client = custodyClient(dirOption(given), textOption(given, 'token'));
  const lifetimeSeconds = countOption(given, 'valid-seconds', limits.orderLifetimeSecondsMax);
  const parameters = Object.fromEntries(given.words.slice(1).map(parameterOf));
  const text = newOrder(await client.status(), { action, parameters, lifetimeSeconds });
  const out = given.options['out'];
  if (typeof out === 'string') writeFileSync(out, text);
  else say(text.trimEnd());
}

function approve(given: Arguments, say: Say): void {
  const name = word(given, 0, file);
  const text = textOf(readNamed(name));
  const order = parseSignedOrder(utf8(text));
  // People approve what they see.
  sayJson(say, { hash: order.hash, ...order.payload });
  const policy = policyOption(given, order.payload.token);
  const { assertion } = given.options;
  const approved =
    typeof assertion === 'string'
      ? addApproval(text, readAssertion(assertion))
      : approveOrder(text, policy, textOption(given, 'key'));
  writeFileSync(name, approved);
}

async function submit(given: Arguments, say: Say): Promise<number> {
  const [first, ...more] = given.words.map((name) => textOf(readNamed(name)));
  if (first === undefined) throw fault('CLI_USAGE_WRONG', { missing: file });
  const merged = utf8(mergeApprovals(first, more));
  using client = custodyClient(dirOption(given), parseSignedOrder(merged).payload.token);
  const answer = await client.submit(merged);
  sayJson(say, answer);
  return answer.state === 'executed' ? 0 : 1;
}

function showPolicy(policy: OperatorPolicy, say: Say): void {
  const { zone, hash, relyingPartyId, origin, userVerification, operators } = policy;
  const rules = orderActions.map((action) => [action, policy.ruleOf(action)] as const);
  sayJson(say, {
    zone,
    hash,
    relyingPartyId,
    origin,
    userVerification,
    operators: [...operators.values()].map(({ id, publicKey }) => ({
      id,
      kind: publicKey.kind,
      fingerprint: publicKey.fingerprint,
    })),
    rules: Object.fromEntries(rules),
  });
}

/** A file that is named, or the one of the token in the network's directory. */
function policyOption(given: Arguments, token: string): OperatorPolicy {
  const { operators } = given.options;
  const named = typeof operators === 'string';
  const path = named ? operators : openNetwork(dirOption(given)).layout.operatorPolicy(token);
  return parseOperatorPolicy(readNamed(path));
}

function readAssertion(path: string): Approval {
  try {
    return checkConfig(Approval, JSON.parse(textOf(readNamed(path))), path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw fault('CLI_FILE_UNREADABLE', { file: path, reason: cause.message }, cause);
  }
}

function parameterOf(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw fault('CLI_USAGE_WRONG', { parameter: text });
  const value = text.slice(at + 1);
  return [text.slice(0, at), value.startsWith('@') ? textOf(readNamed(value.slice(1))) : value];
}

function isAction(text: string): text is OrderAction {
  return (orderActions as readonly string[]).includes(text);
}
