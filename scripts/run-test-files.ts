import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface TestRun {
  projectDir: string;
  /** Relative to the project, in the order in which they are begun. */
  files: readonly string[];
  /** How many run side by side. */
  jobs: number;
  /** What a file may take before its running tests fail. */
  secondsMax: number;
  /** Takes the run as TAP 14: a file is a subtest, told whole when it has ended. */
  line: (line: string) => void;
  /** Ends the files that run, and begins no other. */
  signal: AbortSignal;
}

/**
 * Runs test files, each as `node FILE` in a process of its own. `tap run` would put its hooks for
 * coverage into every process, which costs more than most files take.
 */
export async function runTestFiles(run: TestRun): Promise<void> {
  const waiting = run.files.values();
  const worker = async () => {
    for (const file of waiting) {
      if (run.signal.aborted) return;
      await runFile(run, file);
    }
  };
  await Promise.all(Array.from({ length: run.jobs }, worker));
}

async function runFile(run: TestRun, file: string): Promise<void> {
  const startedMs = performance.now();
  const test = spawn(process.execPath, [join(run.projectDir, file)], {
    cwd: run.projectDir,
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(run.secondsMax) },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A process group of its own: what a file that died had started can be found.
    detached: true,
  });
  test.once('exit', () => endGroup(test.pid));
  using _bounds = keepInBounds(test, run);
  const lines: string[] = [];
  createInterface({ input: test.stdout }).on('line', (line) => lines.push(line));
  const [code, signal] = (await once(test, 'close')) as [number | null, NodeJS.Signals | null];
  const problem = code === 0 ? problemOf(lines) : `ended with ${signal ?? `exit status ${code}`}`;
  const seconds = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  run.line(`# Subtest: ${file}`);
  for (const line of lines) run.line(`    ${line}`);
  run.line(
    problem === undefined
      ? `ok - ${file} (${seconds})`
      : `not ok - ${file} (${problem}, ${seconds})`,
  );
}

/** A process that ends early, and well, has not run all its tests. */
function problemOf(lines: readonly string[]): string | undefined {
  const points = lines.filter((line) => /^(?:not )?ok\b/.test(line)).length;
  return points > 0 && lines.includes(`1..${points}`) ? undefined : 'ended without all its tests';
}

/** Ends whatever is left of the processes that a test file had started. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** tap's own timer says which test hangs; what is still there after it is killed. */
function keepInBounds(test: ChildProcess, { signal, secondsMax }: TestRun): Disposable {
  const end = () => test.kill('SIGTERM');
  const late = [
    setTimeout(() => test.kill('SIGALRM'), (secondsMax + 5) * 1000),
    setTimeout(() => test.kill('SIGKILL'), (secondsMax + 20) * 1000),
  ];
  signal.addEventListener('abort', end);
  return {
    [Symbol.dispose]: () => {
      for (const timer of late) clearTimeout(timer);
      signal.removeEventListener('abort', end);
    },
  };
}
