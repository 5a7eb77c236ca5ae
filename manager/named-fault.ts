import { Fault } from '#base';

/** The same fault, saying of which request; what is no fault is left as it is. */
export function withRequestId(error: unknown, requestId: string): unknown {
  if (!(error instanceof Fault)) return error;
  const { code, kind, message, detail, cause } = error;
  return new Fault(code, kind, message, { requestId, ...detail }, cause);
}
