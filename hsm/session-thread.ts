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
  chunkJobsMax,
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
// Memory that lasts: what each signature allocates, each of many threads has to collect.
const jobs = Buffer.alloc(jobsHeadBytes + chunkJobsMax * jobBytes);
const answers = Buffer.alloc(chunkJobsMax * answerBytes);

write(Buffer.of(seatGreeting));
for (let filled = 0; ;) {
  const count = readSync(descriptor, jobs, filled, jobs.length - filled, null);
  if (count === 0) break;
  filled += count;
  filled = signWhole(filled);
}
session.close();

/** Signs the jobs of every message that is there whole. @returns the bytes of one that is not. */
function signWhole(filled: number): number {
  let start = 0;
  while (filled - start >= jobsHeadBytes) {
    const count = jobs.readUInt32BE(start);
    const end = start + jobsHeadBytes + count * jobBytes;
    if (end > filled) break;
    for (let index = 0; index < count; index += 1) {
      const startMs = performance.now();
      const outcome = session.sign(decodeJob(jobs, start + jobsHeadBytes + index * jobBytes));
      writeAnswer(answers, index, outcome, Math.round((performance.now() - startMs) * 1000));
    }
    write(answers, count * answerBytes);
    start = end;
  }
  if (start > 0) jobs.copyWithin(0, start, filled);
  return filled - start;
}

function write(bytes: Buffer, length = bytes.length): void {
  for (let offset = 0; offset < length;) {
    offset += writeSync(descriptor, bytes, offset, length - offset);
  }
}
