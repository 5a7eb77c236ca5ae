import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { Domains } from './domains.ts';
import { answerQuestions } from './remote-part.ts';
import { measureStock } from './stock-network.ts';
import { measureZone } from './zone-network.ts';

/** Runs in the zone's domain: measures one network for each question. */
answerQuestions(async (id) => {
  const domains = Domains.of(id as string);
  return async (network): Promise<Figure[]> => {
    // A short path: sockets lie here.
    const dir = mkdtempSync(join(tmpdir(), 'wa-'));
    try {
      return await (network === 'stock' ? measureStock : measureZone)(domains, dir);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };
});
