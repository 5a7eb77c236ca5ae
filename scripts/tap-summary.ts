/** What a TAP stream said, counted in tests: a test is a subtest that holds no other. */
export interface TapCounts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Reads the TAP 14 of a run of test files, line by line, and says of it what a person wants to know:
 * one line per file, and each failed assertion with its diagnosis.
 */
export class TapSummary {
  readonly counts: TapCounts = { passed: 0, failed: 0, skipped: 0 };
  readonly #print: (line: string) => void;
  readonly #open: OpenSubtest[] = [];
  #diagnosis: 'none' | 'shown' | 'hidden' = 'none';
  #lastFailed = false;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  line(line: string): void {
    if (this.#readDiagnosis(line)) return;
    const started = /^( *)# Subtest: (.*)$/.exec(line);
    if (started !== null) {
      this.#start(depthOf(started[1]), started[2] ?? '');
      return;
    }
    const point = /^( *)(not )?ok\b(?: \d+)?(?: - )?(.*)$/.exec(line);
    if (point !== null) {
      this.#settle(depthOf(point[1]), point[2] === undefined, point[3] ?? '');
    } else if (/^ *Bail out!/.test(line)) {
      this.counts.failed += 1;
      this.#print(line.trim());
    }
  }

  #readDiagnosis(line: string): boolean {
    if (this.#diagnosis === 'none') {
      if (!/^ *---$/.test(line)) return false;
      this.#diagnosis = this.#lastFailed ? 'shown' : 'hidden';
      return true;
    }
    if (/^ *\.\.\.$/.test(line)) this.#diagnosis = 'none';
    else if (this.#diagnosis === 'shown') this.#print(line);
    return true;
  }

  #start(depth: number, name: string): void {
    // A file that died leaves its inner subtests open; they are not settled by anything later.
    this.#open.length = Math.min(this.#open.length, depth);
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.holdsTests = true;
    this.#open.push({ name, holdsTests: false, holdsFailures: false });
  }

  #settle(depth: number, ok: boolean, rest: string): void {
    const todo = /(?:^|\s)# TODO\b/i.test(rest);
    const skip = /(?:^|\s)# SKIP\b/i.test(rest);
    const failed = !ok && !todo && !skip;
    const subtest = this.#open.length > depth ? this.#open[depth] : undefined;
    this.#open.length = Math.min(this.#open.length, depth);
    if (subtest === undefined) this.#settleAssertion(failed, skip || todo, rest);
    else this.#settleSubtest(subtest, failed, skip || todo);
    if (depth === 0) this.#print(`${failed ? 'FAILED' : 'ok'} ${rest}`);
  }

  #settleAssertion(failed: boolean, passedOver: boolean, rest: string): void {
    this.#lastFailed = failed;
    if (passedOver) this.counts.skipped += 1;
    if (failed) this.#print(`FAILED ${[...this.#open.map(({ name }) => name), rest].join(' > ')}`);
  }

  #settleSubtest(subtest: OpenSubtest, failed: boolean, passedOver: boolean): void {
    this.#lastFailed = failed && !subtest.holdsTests;
    const parent = this.#open.at(-1);
    if (failed && parent !== undefined) parent.holdsFailures = true;
    if (subtest.holdsTests) {
      // Its own assertions, its plan or its exit code failed; the tests in it were counted already.
      if (failed && !subtest.holdsFailures) this.counts.failed += 1;
      return;
    }
    this.counts[failed ? 'failed' : passedOver ? 'skipped' : 'passed'] += 1;
  }
}

interface OpenSubtest {
  readonly name: string;
  holdsTests: boolean;
  holdsFailures: boolean;
}

function depthOf(indent: string | undefined): number {
  return (indent ?? '').length / 4;
}
