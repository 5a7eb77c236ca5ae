/** Holds a guard in a process of its own: asks for blocks as it is told, says what was allowed. */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Fault, fromHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';

const [dir = ''] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const codeOf = (error: unknown) => (error instanceof Fault ? error.code : String(error));

try {
  const guard = await BlockGuard.open(dir);
  say('holds');
  for await (const line of createInterface({ input: process.stdin })) {
    const [number = '', previous = ''] = line.split(' ');
    const headerHash = sha256(utf8(`${process.pid} ${number}`));
    const previousHash = fromHex(previous) ?? new Uint8Array(0);
    const block = { channel: 'ch', number: BigInt(number), headerHash, previousHash };
    await guard.allow(block).then(
      () => say(`allowed ${Buffer.from(headerHash).toString('hex')}`),
      (error: unknown) => say(codeOf(error)),
    );
  }
  await guard.close();
} catch (error) {
  say(codeOf(error));
}
