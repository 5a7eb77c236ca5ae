import { Fault } from '#base';

/** A small generator (mulberry32), so that a failing run can be repeated from its seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Flips, drops, doubles, cuts: one to four small wounds. */
export function mutate(valid: Uint8Array, random: () => number): Uint8Array {
  let bytes = Uint8Array.from(valid);
  const below = (bound: number) => Math.floor(random() * bound);
  for (let wounds = 1 + below(4); wounds > 0; wounds -= 1) {
    const at = below(bytes.length + 1);
    const kind = below(5);
    const length = 1 + below(4);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1)
      bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + length)]);
    else if (kind === 2)
      bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at - length)]);
    else if (at < bytes.length) bytes[at] = kind === 3 ? below(256) : bytes[at]! ^ (1 << below(8));
  }
  return bytes;
}

/**
 * Parses many mutations of valid input.
 *
 * @returns what was thrown that is no Fault; a parser that is right leaves it empty.
 */
export function fuzz(
  parse: (bytes: Uint8Array) => unknown,
  valid: Uint8Array,
  options: { seed: number; rounds: number },
): { escaped: unknown[]; refused: number; accepted: number } {
  const random = seededRandom(options.seed);
  const outcome = { escaped: [] as unknown[], refused: 0, accepted: 0 };
  for (let round = 0; round < options.rounds; round += 1) {
    try {
      parse(mutate(valid, random));
      outcome.accepted += 1;
    } catch (error) {
      if (error instanceof Fault) outcome.refused += 1;
      else outcome.escaped.push(error);
    }
  }
  return outcome;
}
