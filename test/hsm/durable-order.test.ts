import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { blockSignatureInput, headerHash } from '#formats';
import type { SignBlockCall } from '#formats';
import { eventually } from '../support/eventually.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { blockCall, nextBlock } from './samples.ts';

const blocks = 25;
const skip =
  spawnSync('strace', ['-V']).status === 0 ? false : 'strace is not installed (Debian package)';

/** What the kernel was asked for by a process and its threads while `during` ran; lines of strace. */
async function callsOf(pid: number, file: string, during: () => Promise<void>): Promise<string[]> {
  const calls = 'trace=write,writev,sendto,sendmsg,fdatasync,fsync';
  const args = ['-f', '-y', '-xx', '-s', '4096', '-e', calls, '-o', file, '-p', String(pid)];
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

/** Where in the trace a sync of the guard's file had succeeded that began after a line. */
function syncedAfter(lines: readonly string[], start: number): number {
  const begun = lines.findIndex(
    (line, at) => at > start && line.includes('fdatasync(') && line.includes(guardFile),
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
      const synced = syncedAfter(lines, written);
      const left = lines.findIndex((one) => one.includes(digest));
      const isInOrder = written !== -1 && written < synced && synced < left;
      return isInOrder ? [] : [`${block.number}: ${written} ${synced} ${left}`];
    });
    t.equal(signed.length, blocks);
    t.strictSame(wrong, []);
  },
);
