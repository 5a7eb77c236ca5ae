import t from 'tap';
import { crashAgainAndAgain, crashPoints } from '../e2e/crash-loop.ts';
import { shimIsMissing } from '../support/compiled-shim.ts';

const kills = 40;
const seed = 6;

t.test(
  '002-19 processes that end at named points lose nothing and sign nothing twice',
  { skip: shimIsMissing() },
  async (t) => {
    const found = await crashAgainAndAgain(t, kills, seed);
    t.strictSame(found.wrong, []);
    t.equal(found.kills.size, Object.keys(crashPoints).length, 'every point was met');
    t.ok(found.answered > kills, `${found.answered} requests were answered`);
  },
);
