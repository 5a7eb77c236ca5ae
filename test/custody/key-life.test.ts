import t from 'tap';
import { Fault } from '#base';
import { isInToken, keyStates, maySign, nextKeyState } from '#custody';
import type { KeyState } from '#custody';
import { seededRandom } from '../crypto/fuzzing.ts';

t.test('a key goes through its life in one direction, and signs in one state only', async (t) => {
  const random = seededRandom(7);
  const pick = () => keyStates[Math.floor(random() * keyStates.length)] as KeyState;
  for (let life = 0; life < 500; life += 1) {
    const passed: KeyState[] = ['pre-activation'];
    for (let step = 0; step < 20; step += 1) {
      const from = passed.at(-1) ?? 'destroyed';
      const to = pick();
      try {
        passed.push(nextKeyState(from, to));
      } catch (error) {
        const isDenied = error instanceof Fault && error.code === 'CUSTODY_KEY_STATE_DENIED';
        if (!isDenied || error.detail['to'] !== to) throw error;
      }
    }
    const seen = passed.join(' → ');
    if (new Set(passed).size !== passed.length) t.fail(`a state came back: ${seen}`);
    const gone = passed.findIndex((state) => !isInToken(state));
    if (gone !== -1 && passed.slice(gone).some(isInToken)) t.fail(`a key came back: ${seen}`);
    const used = passed.findIndex(maySign);
    if (used > 0 && passed[used - 1] !== 'pre-activation') t.fail(`signs again: ${seen}`);
  }
});

t.test('a compromised key never becomes an ordinary one again', async (t) => {
  for (const to of keyStates.filter((state) => state !== 'destroyed-compromised')) {
    t.throws(() => nextKeyState('compromised', to), { code: 'CUSTODY_KEY_STATE_DENIED' }, to);
  }
  t.equal(nextKeyState('compromised', 'destroyed-compromised'), 'destroyed-compromised');
});

t.test('an active key is not destroyed before its last signatures are out', async (t) => {
  t.throws(() => nextKeyState('active', 'destroyed'), { code: 'CUSTODY_KEY_STATE_DENIED' });
});
