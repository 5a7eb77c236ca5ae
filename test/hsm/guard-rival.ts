/**
 * Has a guard let blocks be signed, against a rival that does the same on the same file: of every height
 * it asks for two blocks of its own. Whenever it was succeeded it succeeds the other.
 */
import process from 'node:process';
import { Fault, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import { BlockGuard } from '../../hsm/block-guard.ts';
import type { GuardedBlock } from '../../hsm/block-guard.ts';

const heightsPerTurn = 4;
const [dir = '', asked = '0'] = process.argv.slice(2);
const heard = new Map<string, number>();

for (let left = Number(asked); left > 0;) {
  await using guard = await succeed();
  let isFenced = false;
  while (!isFenced && left > 0) {
    const wanted = blocksAfter(guard);
    left -= wanted.length;
    const outcomes = await Promise.all(wanted.map((block) => outcomeOf(guard, block)));
    for (const outcome of outcomes) heard.set(outcome, (heard.get(outcome) ?? 0) + 1);
    isFenced = outcomes.includes('HSM_GUARD_FENCED');
  }
}
process.stdout.write(`${JSON.stringify({ heard: Object.fromEntries(heard) })}\n`);

/** The rival may come in between, before it is over. */
async function succeed(): Promise<BlockGuard> {
  for (;;) {
    try {
      return await BlockGuard.open(dir);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'HSM_GUARD_FENCED') throw error;
    }
  }
}

/** Two blocks for each of the next heights; the first of a height is the one the next stands on. */
function blocksAfter(guard: BlockGuard): GuardedBlock[] {
  const last = guard.marks.find(({ channel }) => channel === 'ch');
  let number = last?.number ?? 0n;
  let previousHash = last?.headerHash ?? new Uint8Array(0);
  return Array.from({ length: heightsPerTurn }, () => {
    number += 1n;
    const names = ['a', 'b'].map((variant) => `${process.pid} ${variant} ${number}`);
    const blocks = names.map((name) => {
      const headerHash = sha256(utf8(`${name} ${toHex(previousHash)}`));
      return { channel: 'ch', number, headerHash, previousHash };
    });
    previousHash = blocks[0]!.headerHash;
    return blocks;
  }).flat();
}

async function outcomeOf(guard: BlockGuard, block: GuardedBlock): Promise<string> {
  try {
    await guard.allow(block);
    process.stdout.write(`${block.number} ${toHex(block.headerHash)}\n`);
    return 'allowed';
  } catch (error) {
    return error instanceof Fault ? error.code : String(error);
  }
}
