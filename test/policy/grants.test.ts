import t from 'tap';
import { grantAllows } from '#policy';
import type { Grant } from '#policy';

const call = { channel: 'trade', contract: 'notary', function: 'deposit' };
const grant: Grant = { channel: 'trade', contract: 'notary', functions: ['deposit', 'get'] };

t.test('002-3 without a grant nothing is allowed', async (t) => {
  t.notOk(grantAllows([], call));
});

t.test('002-3 a grant allows its channel, contract and functions, and nothing else', async (t) => {
  t.ok(grantAllows([grant], call));
  t.ok(grantAllows([grant], { ...call, function: 'get' }));
  t.notOk(grantAllows([grant], { ...call, function: 'revoke' }));
  t.notOk(grantAllows([grant], { ...call, contract: 'other' }));
  t.notOk(grantAllows([grant], { ...call, channel: 'other' }));
  t.notOk(grantAllows([{ ...grant, functions: [] }], call));
});

t.test('002-3 a star stands for any one part, never for two grants together', async (t) => {
  const anyFunction = { ...grant, functions: ['*'] };
  t.ok(grantAllows([anyFunction], { ...call, function: 'revoke' }));
  t.notOk(grantAllows([anyFunction], { ...call, contract: 'other' }));
  t.ok(grantAllows([{ channel: '*', contract: '*', functions: ['*'] }], call));
  const other = { channel: 'other', contract: '*', functions: ['*'] };
  t.notOk(grantAllows([other, { ...grant, contract: 'x' }], call));
  t.notOk(grantAllows([{ ...grant, functions: ['dep*'] }], call));
});
