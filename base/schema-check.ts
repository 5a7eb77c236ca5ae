import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import type { Schema, Static } from './schema.ts';

/** Where a value does not fit its schema, and how. */
export interface Misfit {
  /** JSON pointer; with a key that is not known, to that key. */
  readonly place: string;
  readonly problem: string;
}

/**
 * Makes the check of values against one schema. Nothing is coerced or removed: either hides a mistake.
 * What Ajv compiles for it is compiled for the first value, so that a process has only the checks that
 * it needs.
 *
 * @param fillsDefaults whether members that are absent get their `default`.
 * @returns takes a value, and what makes the fault of a misfit.
 */
export function schemaCheck<S extends Schema>(
  schema: S,
  { fillsDefaults }: { fillsDefaults: boolean },
): (value: unknown, refuse: (misfit: Misfit) => Error) => Static<S> {
  let validate: ValidateFunction<Static<S>> | undefined;
  return (value, refuse) => {
    validate ??= (fillsDefaults ? filling : plain).compile<Static<S>>(schema);
    if (validate(value)) return value;
    const first = validate.errors?.[0];
    const extra = first?.params['additionalProperty'];
    const place = `${first?.instancePath ?? ''}${extra === undefined ? '' : `/${String(extra)}`}`;
    throw refuse({ place, problem: first?.message ?? '' });
  };
}

/**
 * For Ajv, here and behind HTTP's routes. The schemas are the program's own: checking them against the
 * schema of schemas would cost a process more than all its checks. A keyword that JSON Schema does not
 * know is refused all the same.
 */
export const checkOptions = {
  removeAdditional: false,
  coerceTypes: false,
  validateSchema: false,
} as const;

const plain = new Ajv({ ...checkOptions, useDefaults: false });
const filling = new Ajv({ ...checkOptions, useDefaults: true });
