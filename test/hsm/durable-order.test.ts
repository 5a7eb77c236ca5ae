import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { concatBytes, toBase64Url, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { blockSignatureInput, headerHash } from '#formats';
import type { SignBlockCall } from '#formats';
import { eventually } from '../support/eventually.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { blockCall, endorsementPayload, nextBlock } from './samples.ts';

const blocks = 25;
const skip =
  spawnSync('strace', ['-V']).status === 0 ? false : 'strace is not installed (Debian package)';

/**
 * What the kernel was asked for by a process and its threads while `during` ran; lines of strace.
 *
 * @param more options of strace, such as what the kernel is to answer.
 */
async function callsOf(
  pid: number,
  file: string,
  during: () => Promise<void>,
  more: readonly string[] = [],
): Promise<string[]> {
  const calls = 'trace=write,pwrite64,writev,sendto,sendmsg,fdatasync,fsync';
  const shownSo = ['-f', '-y', '-xx', '-s', '4096', '-e', calls, ...more];
  const args = [...shownSo, '-o', file, '-p', String(pid)];
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  createInterface({ input: tracer.stderr }).on('line', (line) => said.push(line));
  await eventually(() => {
    if (!said.some((line) => line.includes('attached'))) throw new Error(said.join('\n'));
  });
  await during();
  tracer.kill('SIGINT');
  await once(tracer, 'exit');
  return readFileSync(file, 'latin1').split('\n');
}

/** Bytes as strace shows them. */
function shown(bytes: Uint8Array): string {
  return toHex(bytes).replaceAll(/../g, String.raw`\x$&`);
}

/** Its name, as strace shows the paths of descriptors. */
const guardFile = shown(utf8('blocks.guard'));

/** The directory of the signature log, likewise. */
const signatureLog = shown(utf8('/signatures/'));

/** Where in the trace a sync of a file had succeeded that began after a line. */
function syncedAfter(lines: readonly string[], start: number, file: string): number {
  const begun = lines.findIndex(
    (line, at) => at > start && line.includes('fdatasync(') && line.includes(file),
  );
  const line = lines[begun] ?? '';
  if (/\) += 0$/.test(line)) return begun;
  const thread = line.split(' ')[0] ?? '';
  const isItsEnd = (one: string) =>
    one.startsWith(`${thread} `) && /fdatasync resumed>\) += 0$/.test(one);
  return lines.findIndex((one, at) => at > begun && isItsEnd(one));
}

t.test(
  'a block’s record is on the disk before its digest leaves for the token',
  { skip },
  async (t) => {
    const token = await temporaryToken(t, { keys: [{ label: 'ordering', role: 'ordering' }] });
    const host = await startSigner(t, token);
    const identity = (await host.client.describe())[0]!.serializedIdentity;
    const signed: SignBlockCall[] = [];
    const lines = await callsOf(host.pid, join(token.dir, 'trace'), async () => {
      let block = blockCall(identity, 1n);
      for (let count = 0; count < blocks; count += 1) {
        await host.client.signBlock(block);
        signed.push(block);
        block = nextBlock(block, identity);
      }
    });
    const wrong = signed.flatMap((block) => {
      const content = blockSignatureInput(block.metadataValue, block.signatureHeader, block);
      const record = shown(headerHash(block));
      const digest = shown(sha256(content));
      const written = lines.findIndex((one) => one.includes(guardFile) && one.includes(record));
      const synced = syncedAfter(lines, written, guardFile);
      const left = lines.findIndex((one) => one.includes(digest));
      const isInOrder = written !== -1 && written < synced && synced < left;
      return isInOrder ? [] : [`${block.number}: ${written} ${synced} ${left}`];
    });
    t.equal(signed.length, blocks);
    t.strictSame(wrong, []);
    const contents = signed.map((block) =>
      blockSignatureInput(block.metadataValue, block.signatureHeader, block),
    );
    t.strictSame(unrecorded(lines, contents), [], 'and all are in the signature log before');
  },
);

/** Indexes of contents whose digest left for the token before its record was on the disk, or never did. */
function unrecorded(lines: readonly string[], contents: readonly Uint8Array[]): number[] {
  return [...contents.keys()].filter((index) => {
    const digest = sha256(contents[index] as Uint8Array);
    const record = shown(utf8(toBase64Url(digest)));
    const written = lines.findIndex((one) => one.includes(signatureLog) && one.includes(record));
    const synced = syncedAfter(lines, written, signatureLog);
    const left = lines.findIndex((one) => one.includes(shown(digest)));
    return !(written !== -1 && written < synced && synced < left);
  });
}

t.test('an endorsement whose record does not reach the disk is not made', { skip }, async (t) => {
  const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
  const host = await startSigner(t, token);
  const identity = (await host.client.describe())[0]!.serializedIdentity;
  const payloads = ['one', 'two', 'three'].map((contract) => endorsementPayload({ contract }));
  const contents = payloads.map((payload) => concatBytes(payload, identity));
  const endorse = (index: number) =>
    host.client.endorse([
      { keyLabel: 'node', proposalResponsePayload: payloads[index] as Uint8Array },
    ]);
  const lines = await callsOf(host.pid, join(token.dir, 'trace'), async () => {
    await endorse(0);
    await endorse(1);
  });
  t.strictSame(unrecorded(lines, contents.slice(0, 2)), []);
  const failing = ['-e', 'inject=fdatasync:error=EIO'];
  const refused = { code: 'CUSTODY_AUDIT_READONLY' };
  const during = async () => void (await t.rejects(endorse(2), refused));
  const after = await callsOf(host.pid, join(token.dir, 'failing'), during, failing);
  t.notOk(after.some((line) => line.includes(shown(sha256(contents[2] as Uint8Array)))));
  await t.rejects(endorse(0), refused, 'nor is any other until a restart');
  t.equal((await host.client.report()).logFaultCode, 'CUSTODY_AUDIT_READONLY');
});
