import { execFile } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fault } from '#base';
import type { SubjectFields } from '#crypto';
import type { CaCall } from './ca-call.ts';
import { fault } from './faults.ts';
import type { ProvisionSpec } from './token-spec.ts';

/** What the process of main.ts is asked for; PINs only by the files they are in. */
export type TokenTask =
  | { kind: 'list'; module: string; label: string; userPinFile: string }
  | {
      kind: 'provision';
      module: string;
      spec: ProvisionSpec;
      userPinFile: string;
      soPinFile: string;
    }
  | (KeyTask & { kind: 'csr'; subject: SubjectFields })
  | (KeyTask & { kind: 'authorise'; call: CaCall })
  /** Base64url of the ceremony's line that tells of the key. */
  | (KeyTask & { kind: 'prove'; line: string });

interface KeyTask {
  module: string;
  /** Of the token. */
  label: string;
  userPinFile: string;
  /** CKA_LABEL of the key. */
  key: string;
}

export type TokenAnswer =
  { result: unknown } | { failed: { code: string; detail: Fault['detail']; reason: string } };

const waitMsMax = 60_000;
const answerBytesMax = 1024 * 1024;

/**
 * Runs one task in a process of its own.
 *
 * @param softhsmConfig becomes its SOFTHSM2_CONF; of the environment it inherits nothing but the place
 *   of compiled sources, with which it starts in half the time.
 * @throws SOFTHSM_TOKEN_ABSENT, SOFTHSM_KEY_ABSENT, SOFTHSM_PROVISIONING_FAILED
 */
export async function runTokenTask(taskFile: string, softhsmConfig: string): Promise<unknown> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const cache = getCompileCacheDir();
  const env = {
    SOFTHSM2_CONF: softhsmConfig,
    // Node.js names the directory that it made there for its own version.
    ...(cache !== undefined && { NODE_COMPILE_CACHE: dirname(cache) }),
  };
  const options = { env, timeout: waitMsMax, maxBuffer: answerBytesMax };
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [main, taskFile], options, (error, out, stderr) => {
      if (error === null) resolve(out);
      else reject(fault('SOFTHSM_PROVISIONING_FAILED', { reason: stderr.slice(-500) }, error));
    });
  });
  const answer = JSON.parse(stdout) as TokenAnswer;
  if ('result' in answer) return answer.result;
  const { code, detail, reason } = answer.failed;
  if (code === 'SOFTHSM_TOKEN_ABSENT' || code === 'SOFTHSM_KEY_ABSENT') throw fault(code, detail);
  throw fault('SOFTHSM_PROVISIONING_FAILED', { ...detail, code, reason });
}
