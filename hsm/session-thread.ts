/**
 * A thread with one signing session. It reads its jobs from a descriptor of its own and blocks on it:
 * no event loop, and no other thread, stands between the signer host and the token.
 * It loads little: a token behind a network has many of them, and every one waits for the rest.
 */
import { readSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import pkcs11js from 'pkcs11js';
import { SignSession } from './sign-session.ts';
import {
  answerBytes,
  decodeJob,
  jobBytes,
  jobsHeadBytes,
  seatGreeting,
  writeAnswer,
} from './token-wire.ts';

const { descriptor, module, slot } = workerData as {
  descriptor: number;
  module: string;
  slot: Uint8Array;
};
// The main thread has loaded and initialised it.
const pkcs11 = new pkcs11js.PKCS11();
pkcs11.load(module);
const session = new SignSession(pkcs11, Buffer.from(slot));

write(Buffer.of(seatGreeting));
for (let head = read(jobsHeadBytes); head !== undefined; head = read(jobsHeadBytes)) {
  const count = head.readUInt32BE();
  const jobs = read(count * jobBytes);
  if (jobs === undefined) break;
  const answers = Buffer.alloc(count * answerBytes);
  for (let index = 0; index < count; index += 1) {
    const startMs = performance.now();
    const outcome = session.sign(decodeJob(jobs, index));
    writeAnswer(answers, index, outcome, Math.round((performance.now() - startMs) * 1000));
  }
  write(answers);
}
session.close();

/** @returns undefined when the other end is closed. */
function read(length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  for (let offset = 0; offset < length;) {
    const count = readSync(descriptor, bytes, offset, length - offset, null);
    if (count === 0) return undefined;
    offset += count;
  }
  return bytes;
}

function write(bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length;) {
    offset += writeSync(descriptor, bytes, offset, bytes.length - offset);
  }
}
