import t from 'tap';
import { TapSummary } from '../scripts/tap-summary.ts';

function summaryOf(tap: string) {
  const printed: string[] = [];
  const summary = new TapSummary((line) => printed.push(line));
  for (const line of tap.split('\n')) summary.line(line);
  return { ...summary.counts, printed: printed.join('\n') };
}

t.test('tests are counted where they stand, not the files and groups around them', async (t) => {
  const { passed, failed, skipped } = summaryOf(`TAP version 14
# Subtest: test/a.test.ts
    # Subtest: a group
        # Subtest: first
            ok 1 - should be equal
            1..1
        ok 1 - first # time=1ms
        # Subtest: second
            ok 1 - should be equal
            not ok 2 - should be equal
              ---
              diff: |
                # Subtest: not one
                ok 9 - not one either
              ...
            1..2
        not ok 2 - second # time=1ms
        1..2
    not ok 1 - a group # time=2ms
    ok 2 - later # SKIP no token
    1..2
not ok 1 - test/a.test.ts # time=3ms
  ---
  exitCode: 1
  ...
1..1`);
  t.strictSame({ passed, failed, skipped }, { passed: 1, failed: 1, skipped: 1 });
});

t.test('a file that dies before its first test is a failure', async (t) => {
  const { passed, failed } = summaryOf(`# Subtest: test/a.test.ts
    1..0 # no tests found
not ok 1 - test/a.test.ts # time=391.509ms`);
  t.strictSame({ passed, failed }, { passed: 0, failed: 1 });
});

t.test('a file that dies after good tests is a failure', async (t) => {
  const { passed, failed } = summaryOf(`# Subtest: test/a.test.ts
    # Subtest: fine
        ok 1 - should be equal
        1..1
    ok 1 - fine # time=1ms
    # Subtest: never ends
not ok 1 - test/a.test.ts # time=391.509ms
# Subtest: test/b.test.ts
    # Subtest: fine too
        1..1
    ok 1 - fine too # time=1ms
    1..1
ok 2 - test/b.test.ts # time=39ms`);
  t.strictSame({ passed, failed }, { passed: 2, failed: 1 });
});

t.test('a failed assertion is printed with the tests it stands in and its diagnosis', async (t) => {
  const { printed } = summaryOf(`# Subtest: test/a.test.ts
    # Subtest: one
        not ok 1 - should be equal
          ---
          diff: two is not one
          ...
    not ok 1 - one # time=1ms
not ok 1 - test/a.test.ts`);
  t.match(printed, 'FAILED test/a.test.ts > one > should be equal');
  t.match(printed, 'diff: two is not one');
});

t.test('a run that is abandoned is a failure', async (t) => {
  t.equal(summaryOf('Bail out! no token').failed, 1);
});
