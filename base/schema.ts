declare const described: unique symbol;
const optional = Symbol('optional');

/** A JSON Schema, and the type of what fits it: what is checked and what is believed cannot differ. */
export interface Schema<Value = unknown> {
  readonly [described]: Value;
  readonly [keyword: string]: unknown;
}

/** The type of what fits a schema. */
export type Static<S extends Schema> = S[typeof described];

/** Of a member that may be absent. */
export interface OptionalSchema<Value = unknown> extends Schema<Value> {
  readonly [optional]: true;
}

export type Members = Readonly<Record<string, Schema>>;

export interface ObjectSchema<Value = unknown> extends Schema<Value> {
  readonly properties: Members;
  readonly required?: readonly string[];
}

type OptionalNames<M extends Members> = {
  [Name in keyof M]: M[Name] extends OptionalSchema ? Name : never;
}[keyof M];

type ObjectOf<M extends Members> = Flat<
  { [Name in Exclude<keyof M, OptionalNames<M>>]: Static<M[Name]> } & {
    [Name in OptionalNames<M>]?: Static<M[Name]>;
  }
>;
type Flat<Value> = { [Name in keyof Value]: Value[Name] };

/** Any keyword of JSON Schema: `description`, `default`, bounds. */
type Keywords = Readonly<Record<string, unknown>>;
type Constant = string | number | boolean;

/**
 * Makes schemas. Each is plain JSON Schema, which Ajv checks and OpenAPI shows as it is. A library for
 * this has hundreds of modules, in every process, the one that holds the keys included.
 */
export const Type = {
  Unknown: (keywords?: Keywords) => made<unknown>({ ...keywords }),
  Boolean: (keywords?: Keywords) => made<boolean>({ type: 'boolean', ...keywords }),
  Integer: (keywords?: Keywords) => made<number>({ type: 'integer', ...keywords }),
  Number: (keywords?: Keywords) => made<number>({ type: 'number', ...keywords }),
  String: (keywords?: Keywords) => made<string>({ type: 'string', ...keywords }),

  Literal: <const Value extends Constant>(value: Value, keywords?: Keywords) =>
    made<Value>({ type: typeof value, const: value, ...keywords }),

  Enum: <const Value extends Constant>(values: readonly Value[], keywords?: Keywords) =>
    made<Value>({ enum: values, ...keywords }),

  Union: <const S extends readonly Schema[]>(schemas: S, keywords?: Keywords) =>
    made<Static<S[number]>>({ anyOf: schemas, ...keywords }),

  Array: <S extends Schema>(items: S, keywords?: Keywords) =>
    made<Static<S>[]>({ type: 'array', items, ...keywords }),

  /** An object whose names are not known beforehand; `names` bounds them. */
  Record: <S extends Schema>(names: Schema<string>, values: S, keywords?: Keywords) =>
    made<Record<string, Static<S>>>({
      type: 'object',
      propertyNames: names,
      additionalProperties: values,
      ...keywords,
    }),

  /** An object with members; others are allowed unless `additionalProperties` is false. */
  Object: <M extends Members>(members: M, keywords?: Keywords) => {
    const required = Object.entries(members).flatMap(([name, schema]) =>
      optional in schema ? [] : [name],
    );
    return made<ObjectOf<M>>({
      type: 'object',
      ...(required.length > 0 ? { required } : {}),
      properties: members,
      ...keywords,
    }) as ObjectSchema<ObjectOf<M>>;
  },

  /** Of a member: it may be absent. The mark is a symbol, which is no part of the JSON. */
  Optional: <Value>(schema: Schema<Value>): OptionalSchema<Value> => ({
    ...schema,
    [optional]: true,
  }),
};

function made<Value>(keywords: Record<string, unknown>): Schema<Value> {
  return keywords as Schema<Value>;
}
