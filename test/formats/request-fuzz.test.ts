import t from 'tap';
import { Fault, toBase64Url, utf8 } from '#base';
import { parseRequest } from '#formats';
import { goodHeader, goodPayload, requestOf } from './request-sample.ts';
import { SeededRandom } from './random.ts';

const random = new SeededRandom(20260101);
const rounds = 20_000;

/** @returns whether the request was read. */
function read(jws: Uint8Array | string): boolean {
  try {
    parseRequest(jws);
    return true;
  } catch (error) {
    if (error instanceof Fault && error.code.startsWith('FORMATS_REQUEST_')) return false;
    throw error;
  }
}

t.test('mutated requests end in a fault of their own or are read', async (t) => {
  const bytes = utf8(requestOf({}));
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) if (!read(random.mutate(bytes))) refused += 1;
  t.ok(refused > rounds * 0.9, `${refused} of ${rounds} refused`);
});

t.test('mutated JSON under a sound encoding ends in a fault or is read', async (t) => {
  const header = utf8(JSON.stringify(goodHeader));
  const payload = utf8(JSON.stringify(goodPayload));
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    const first = random.chance(50) ? random.mutate(header) : header;
    const second = first === header ? random.mutate(payload) : payload;
    if (!read(`${toBase64Url(first)}.${toBase64Url(second)}.AAAA`)) refused += 1;
  }
  t.ok(refused > rounds * 0.5 && refused < rounds, `${refused} of ${rounds} refused`);
});

t.test('what is read says the same when it is read by a plain JSON parser', async (t) => {
  const payload = utf8(JSON.stringify(goodPayload));
  const [header] = requestOf({}).split('.');
  let compared = 0;
  for (let round = 0; round < rounds; round += 1) {
    const mutated = random.mutate(payload);
    const jws = `${header}.${toBase64Url(mutated)}.AAAA`;
    if (!read(jws)) continue;
    compared += 1;
    const plain: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(mutated));
    if (JSON.stringify(sorted(parseRequest(jws).payload)) !== JSON.stringify(sorted(plain))) {
      t.fail(`read differently: ${Buffer.from(mutated).toString()}`);
    }
  }
  t.ok(compared > 100, `${compared} compared`);
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
