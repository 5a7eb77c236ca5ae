/**
 * Makes or reads a token: `node main.ts TASK.json`, SOFTHSM2_CONF set. It is a process of its own
 * because SoftHSM reads that variable once, when it is loaded. Answers one JSON line on stdout.
 */
import { argv, stdout } from 'node:process';
import { readFileSync } from 'node:fs';
import { Fault, readSecret } from '#base';
import { signCaCall, signCeremonyLine, signCsr } from './key-signing.ts';
import { listKeys } from './list-keys.ts';
import { provisionToken } from './provision-token.ts';
import type { TokenAnswer, TokenTask } from './token-process.ts';

function perform(task: TokenTask): Promise<unknown> {
  const pin = readSecret(task.userPinFile);
  if (task.kind === 'list') return listKeys(task.module, task.label, pin);
  if (task.kind === 'csr') return signCsr(task, pin);
  if (task.kind === 'authorise') return signCaCall(task, pin);
  if (task.kind === 'prove') return signCeremonyLine(task, pin);
  const pins = { user: pin, securityOfficer: readSecret(task.soPinFile) };
  return provisionToken(task.spec, task.module, pins);
}

let answer: TokenAnswer;
try {
  const task = JSON.parse(readFileSync(argv[2] ?? '', 'utf8')) as TokenTask;
  answer = { result: await perform(task) };
} catch (error) {
  const { code, detail } = error instanceof Fault ? error : { code: '', detail: {} };
  answer = { failed: { code, detail, reason: error instanceof Error ? error.message : '' } };
}
stdout.write(`${JSON.stringify(answer)}\n`);
