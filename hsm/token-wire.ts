/**
 * What passes between a signer host and the process that holds its token, over sockets that the
 * child inherits and nobody else can reach: digests may travel here, and only here.
 */
import type { Digest } from './digest.ts';
import type { KeyOrigin } from './pkcs11-keys.ts';
import type { SignJob, SignOutcome } from './sign-session.ts';

/** Inherited descriptors of the token's process: one for control, then one for each session. */
export const controlDescriptor = 3;
export const firstSeatDescriptor = 4;

/** A seat's first word: its thread is up. */
export const seatGreeting = 0x53;
/** Job: key handle (8) ‖ digest (32). A message is the number of jobs as u32, then the jobs. */
export const jobBytes = 40;
export const jobsHeadBytes = 4;
/** Jobs of one message; each session has memory for as many. */
export const chunkJobsMax = 64;
/** Answer: return value u32 ‖ microseconds u32 ‖ r‖s (64). A message is one answer for each job. */
export const answerBytes = 72;
/** In place of a return value: the failure did not come from the token. */
const notFromToken = 0xffffffff;

export function encodeJobs(jobs: readonly SignJob[]): Uint8Array {
  const bytes = Buffer.alloc(jobsHeadBytes + jobs.length * jobBytes);
  bytes.writeUInt32BE(jobs.length);
  for (const [index, { key, digest }] of jobs.entries()) {
    const offset = jobsHeadBytes + index * jobBytes;
    bytes.set(key, offset);
    bytes.set(digest, offset + 8);
  }
  return bytes;
}

/** Its parts lie in `bytes`. */
export function decodeJob(bytes: Buffer, offset: number): SignJob {
  return {
    key: bytes.subarray(offset, offset + 8),
    digest: bytes.subarray(offset + 8, offset + jobBytes) as Uint8Array as Digest,
  };
}

export function writeAnswer(into: Buffer, index: number, outcome: SignOutcome, us: number): void {
  const offset = index * answerBytes;
  const failed = 'failed' in outcome;
  const code = failed ? outcome.failed.code : 0;
  into.writeUInt32BE(code === -1 ? notFromToken : code >>> 0, offset);
  into.writeUInt32BE(Math.min(us, 0xffffffff) >>> 0, offset + 4);
  if (!failed) into.set(outcome.raw, offset + 8);
}

/** @returns the return value, 0 for success and -1 for a failure that is not the token's. */
export function readAnswer(bytes: Buffer): { code: number; us: number; raw: Uint8Array } {
  const code = bytes.readUInt32BE(0);
  return {
    code: code === notFromToken ? -1 : code,
    us: bytes.readUInt32BE(4),
    raw: Uint8Array.from(bytes.subarray(8, answerBytes)),
  };
}

/** What the token's process is told; a line of JSON each. */
export type TokenOrder =
  | { readonly do: 'open'; readonly place: TokenPlace }
  /** @param keys in place of those it was opened with. */
  | { readonly do: 'refresh'; readonly keys?: readonly WantedKey[] }
  /** Makes a pair of this label unless there is one; `keys` of the answer has it. */
  | { readonly do: 'generate'; readonly label: string }
  /** Finds and proves the key. */
  | { readonly do: 'find'; readonly key: WantedKey }
  /** Makes the wrapping pair of this label unless there is one; `keys` of the answer has it. */
  | { readonly do: 'generateWrapping'; readonly label: string }
  /** Unwraps and proves the key. */
  | {
      readonly do: 'import';
      readonly key: WantedKey & { readonly spkiHex: string };
      readonly wrappingLabel: string;
      readonly wrappedHex: string;
    }
  /** Destroys the pair of this label; fails unless it is gone then. */
  | { readonly do: 'destroy'; readonly label: string }
  | { readonly do: 'close' };

export interface TokenPlace {
  readonly module: string;
  readonly tokenLabel: string;
  readonly pinFile: string;
  /** Where the record of a refused PIN is. */
  readonly stateDir: string;
  readonly keys: readonly WantedKey[];
  readonly sessions: number;
}

export interface WantedKey {
  readonly label: string;
  /** SubjectPublicKeyInfo that the key's certificate names; absent when it has none yet. */
  readonly spkiHex?: string;
  /** `local` when absent. */
  readonly origin?: KeyOrigin;
}

/** A key that was found and proved; good until the next opening or refreshing. */
export interface OpenedKey {
  readonly label: string;
  readonly handleHex: string;
  readonly spkiHex: string;
}

export type TokenReply =
  | { readonly id: number; readonly keys: readonly OpenedKey[] }
  | {
      readonly id: number;
      readonly failed: {
        readonly code: string;
        readonly kind: string;
        readonly message: string;
        readonly detail: Readonly<Record<string, string | number>>;
      };
    };
