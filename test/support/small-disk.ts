import { execFileSync } from 'node:child_process';
import process from 'node:process';

/** A disk in memory that is soon full. */
export interface SmallDisk {
  readonly dir: string;
  /** Why there is none: the reason that a test is skipped for. */
  readonly notMounted: string | false;
  readonly unmount: () => void;
}

/**
 * @param dir an empty directory.
 * @param size as mount(8) has it for a tmpfs, such as `8k`.
 */
export function mountSmallDisk(dir: string, size: string): SmallDisk {
  const without = (notMounted: string) => ({ dir, notMounted, unmount: () => {} });
  if (process.getuid?.() !== 0) return without('only root can mount a small disk');
  try {
    const options = `size=${size},mode=0700`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'countersign', dir], { stdio: 'pipe' });
  } catch (error) {
    return without(`a small disk cannot be mounted here: ${(error as Error).message}`);
  }
  return { dir, notMounted: false, unmount: () => execFileSync('umount', [dir]) };
}
