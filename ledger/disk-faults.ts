import type { Fault } from '#base';
import { fault } from './faults.ts';

/**
 * Says what a failed write means: a full disk can be waited for, anything else cannot.
 * EFBIG is a process's file size limit; LMDB reports a write that was cut short as EIO, with a
 * number for a code, and a cut write is what a full disk gives.
 */
export function writeFault(cause: unknown, detail: { path: string }): Fault {
  const code = codeOf(cause);
  const full = code !== undefined && fullDiskCodes.has(code);
  return fault(full ? 'LEDGER_DISK_FULL' : 'LEDGER_WRITE_FAILED', detail, cause);
}

const lmdbCodes = { eio: 5, efbig: 27, enospc: 28, edquot: 122 } as const;
const fullDiskCodes = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG', ...Object.values(lmdbCodes)]);

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
