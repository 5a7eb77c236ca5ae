import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What has an end: a test, or a whole file of them. */
export interface TestScope {
  teardown(act: () => unknown): void;
}

/** An empty directory that goes with the test; its path is short enough for a Unix socket in it. */
export function temporaryDir(t: TestScope): string {
  const dir = mkdtempSync(join(tmpdir(), 'cs-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
