import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChildrenPlainly } from '../support/plain-children.ts';

startChildrenPlainly();

export const program = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a user would and tells how it ended. */
export async function countersign(...args: string[]): Promise<CommandResult> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
    return { status: 0, stdout, stderr: '' };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}
