import { Fault } from '#base';

/** How a synchronous act ends: `fine`, or the code of its fault. @throws what is no fault. */
export function outcomeOf(act: () => unknown): string {
  try {
    act();
    return 'fine';
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}
