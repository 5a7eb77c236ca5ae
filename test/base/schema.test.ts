import { Ajv } from 'ajv';
import t from 'tap';
import { Type } from '#base';
import type { Schema, Static } from '#base';

const Pet = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    kind: Type.Enum(['cat', 'dog']),
    age: Type.Optional(Type.Integer({ minimum: 0 })),
    home: Type.Union([Type.Literal('here'), Type.Literal('away')], { default: 'here' }),
    weights: Type.Array(Type.Number(), { maxItems: 2 }),
    marks: Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.Boolean()),
    rest: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
);
type Pet = Static<typeof Pet>;

// The compiler holds the types: a member missing or too much here does not compile.
const pet: Pet = { name: 'Tom', kind: 'cat', home: 'here', weights: [4.5], marks: { grey: true } };
const older: Pet = { ...pet, age: 3, rest: [1] };
// @ts-expect-error a kind that the schema does not know
const wrongKind: Pet = { ...pet, kind: 'cow' };
// @ts-expect-error a member of another type
const wrongAge: Pet = { ...pet, age: 'three' };

function fits(schema: Schema, value: unknown): boolean {
  return new Ajv({ strict: true }).compile(schema)(value);
}

t.test('a value of the type fits the schema', async (t) => {
  t.ok(fits(Pet, pet));
  t.ok(fits(Pet, older));
});

t.test('a value that the type refuses does not fit the schema', async (t) => {
  t.notOk(fits(Pet, wrongKind));
  t.notOk(fits(Pet, wrongAge));
  for (const name of ['name', 'kind', 'home', 'weights', 'marks']) {
    const { [name]: _, ...lacking } = pet as Record<string, unknown>;
    t.notOk(fits(Pet, lacking), `without ${name}`);
  }
  for (const change of [{ name: '' }, { weights: [1, 2, 3] }, { home: 'there' }, { colour: 1 }]) {
    t.notOk(fits(Pet, { ...pet, ...change }), JSON.stringify(change));
  }
});

t.test('a name that the schema of a record refuses is refused, whatever it holds', async (t) => {
  t.notOk(fits(Pet, { ...pet, marks: { GREY: true } }));
  t.notOk(fits(Pet, { ...pet, marks: { GREY: { not: 'a boolean' } } }));
});

t.test('a keyword that JSON Schema does not know is refused', async (t) => {
  t.throws(() => fits(Type.String({ minLenght: 1 }), 'x'), /unknown keyword/);
});
