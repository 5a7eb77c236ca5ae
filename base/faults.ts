/** What went wrong, by what the caller can do about it; the kind alone decides transport code and log level. */
export type FaultKind =
  'malformed' | 'unauthenticated' | 'denied' | 'absent' | 'conflict' | 'busy' | 'broken' | 'fatal';

type Detail = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** The one error class of the project. `message` is the fixed sentence; what varies is in `detail`. */
export class Fault extends Error {
  readonly code: string;
  readonly kind: FaultKind;
  readonly detail: Detail;

  constructor(code: string, kind: FaultKind, sentence: string, detail: Detail, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.code = code;
    this.kind = kind;
    this.detail = detail;
  }
}

type FaultRows = Readonly<Record<string, readonly [kind: FaultKind, sentence: string]>>;

/** Every code declared so far with its kind and sentence: docs/ERRORS.md is held equal to it by a test. */
export const faultRegister = new Map<string, { kind: FaultKind; sentence: string }>();

/**
 * Declares a folder's faults and returns the function that makes them.
 *
 * @param rows code → [kind, sentence]; codes are FOLDER_NOUN_STATE and unique over the project.
 * @returns `fault(code, detail?, cause?)`, to be thrown by the caller.
 */
export function declareFaults<Rows extends FaultRows>(
  rows: Rows,
): (code: keyof Rows & string, detail?: Detail, cause?: unknown) => Fault {
  for (const [code, [kind, sentence]] of Object.entries(rows)) {
    if (faultRegister.has(code)) throw new TypeError(`fault code declared twice: ${code}`);
    faultRegister.set(code, { kind, sentence });
  }
  return (code, detail = {}, cause) => {
    const row = rows[code];
    if (row === undefined) throw new TypeError(`undeclared fault code: ${code}`);
    return new Fault(code, row[0], row[1], detail, cause);
  };
}

/** The HTTP status of each kind. */
export const httpStatusOf: Readonly<Record<FaultKind, number>> = {
  malformed: 400,
  unauthenticated: 401,
  denied: 403,
  absent: 404,
  conflict: 409,
  busy: 503,
  broken: 500,
  fatal: 500,
};

/** The gRPC status of each kind (numbers of grpc/status.h). */
export const grpcStatusOf: Readonly<Record<FaultKind, number>> = {
  malformed: 3,
  unauthenticated: 16,
  denied: 7,
  absent: 5,
  conflict: 10,
  busy: 14,
  broken: 13,
  fatal: 13,
};
