import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  BoundedQueue,
  Fault,
  BytesMemo,
  LruMap,
  Type,
  compareBytes,
  concatBytes,
  declareFaults,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  grpcStatusOf,
  httpStatusOf,
  readConfig,
  readSecret,
  textOf,
  toBase64Url,
  toHex,
  utf8,
} from '#base';
import { temporaryDir } from '../support/temporary-dir.ts';

const Schema = Type.Object(
  { port: Type.Integer(), name: Type.String({ default: 'unnamed' }) },
  { additionalProperties: false },
);

function file(text: string): string {
  const path = join(temporaryDir(t), 'file');
  writeFileSync(path, text);
  return path;
}

t.test('a configuration gets its defaults and nothing is coerced', async (t) => {
  t.same(readConfig(Schema, file('{"port": 1}')), { port: 1, name: 'unnamed' });
  t.throws(() => readConfig(Schema, file('{"port": "1"}')), { code: 'BASE_CONFIG_INVALID' });
});

t.test('an unknown key is refused by its name', async (t) => {
  t.throws(() => readConfig(Schema, file('{"port": 1, "prot": 2}')), {
    code: 'BASE_CONFIG_INVALID',
    detail: { key: '/prot' },
  });
});

t.test('a configuration that is not there or no JSON says so', async (t) => {
  t.throws(() => readConfig(Schema, '/nowhere'), { code: 'BASE_CONFIG_UNREADABLE' });
  t.throws(() => readConfig(Schema, file('{')), { code: 'BASE_CONFIG_UNREADABLE' });
});

t.test('a secret loses the newline an editor adds and nothing else', async (t) => {
  t.equal(readSecret(file(' pin \n')), ' pin ');
  t.throws(() => readSecret('/nowhere'), { code: 'BASE_SECRET_UNREADABLE' });
});

t.test('a fault has the sentence of its code, and every kind has its statuses', async (t) => {
  const fault = declareFaults({ TEST_BASICS_ABSENT: ['absent', 'It is not there.'] });
  const made = fault('TEST_BASICS_ABSENT', { where: 'here' }, new Error('why'));
  t.ok(made instanceof Fault);
  t.match(made, { message: 'It is not there.', kind: 'absent', detail: { where: 'here' } });
  t.match(made.cause, { message: 'why' });
  t.equal(httpStatusOf[made.kind], 404);
  t.equal(grpcStatusOf[made.kind], 5);
  t.same(Object.keys(httpStatusOf), Object.keys(grpcStatusOf));
});

t.test('a code cannot be declared twice', async (t) => {
  declareFaults({ TEST_BASICS_TWICE: ['absent', 'It is not there.'] });
  t.throws(() => declareFaults({ TEST_BASICS_TWICE: ['absent', 'It is not there.'] }), TypeError);
});

t.test('a queue gives back what it took, in order, and refuses past its bounds', async (t) => {
  const queue = new BoundedQueue<string>({
    depthMax: 3,
    bytesMax: 10,
    bytesOf: (item) => item.length,
  });
  t.equal(queue.push('aaaa'), true);
  t.equal(queue.push('bbbb'), true);
  t.equal(queue.push('ccc'), false, 'eleven bytes');
  t.equal(queue.push('c'), true);
  t.equal(queue.push('d'), false, 'four items');
  t.same([queue.depth, queue.bytes], [3, 9]);
  t.equal(queue.peek(), 'aaaa');
  t.same(
    [queue.shift(), queue.shift(), queue.shift(), queue.shift()],
    ['aaaa', 'bbbb', 'c', undefined],
  );
  t.same([queue.depth, queue.bytes], [0, 0]);
});

t.test('a bounded map forgets what was not used for longest', async (t) => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  t.equal(map.get('a'), 1);
  map.set('c', 3);
  t.equal(map.get('b'), undefined);
  t.same([map.get('a'), map.get('c'), map.size], [1, 3, 2]);
  // Asked for twice in turn, deleted, and put back: it is still the youngest.
  t.same([map.get('a'), map.get('a')], [1, 1]);
  map.set('d', 4);
  t.same([map.get('c'), map.get('a'), map.get('d')], [undefined, 1, 4]);
  map.delete('d');
  map.set('e', 5);
  map.set('f', 6);
  t.same([map.get('a'), map.get('d'), map.get('e')], [undefined, undefined, 5]);
});

t.test('a memo by bytes knows its keys in full, and forgets what nobody asks for', async (t) => {
  const memo = new BytesMemo<number>(4);
  const key = (first: number, last: number) => {
    const bytes = new Uint8Array(200);
    bytes[0] = first;
    bytes[199 - 50] = last;
    return bytes;
  };
  memo.set(key(1, 1), 11);
  t.equal(memo.get(key(1, 1)), 11);
  t.equal(memo.get(key(2, 1)), undefined, 'another key at the same place');
  t.equal(memo.get(new Uint8Array(0)), undefined);
  memo.set(key(2, 1), 21);
  t.same([memo.get(key(1, 1)), memo.get(key(2, 1))], [undefined, 21]);
  const own = key(3, 3);
  memo.set(own, 33);
  own[0] = 4;
  t.same([memo.get(own), memo.get(key(3, 3))], [undefined, 33], 'it has a copy of its own');
  for (let last = 10; last < 20; last += 1) {
    memo.set(key(0, last), last);
    t.equal(memo.get(key(3, 3)), 33, 'asked for, so kept');
  }
  t.equal(memo.get(key(2, 1)), undefined, 'not asked for, so gone');
  t.equal(memo.get(key(0, 10)), undefined);
});

t.test('only the one canonical text of some bytes is read', async (t) => {
  t.same(fromBase64Url('AQI'), new Uint8Array([1, 2]));
  for (const text of ['AQI=', 'AQJ', 'A', 'AQ I', 'AQ+/']) t.equal(fromBase64Url(text), undefined);
  t.same(fromBase64('AQI='), new Uint8Array([1, 2]));
  for (const text of ['AQI', 'AQJ=', 'AQI=\n']) t.equal(fromBase64(text), undefined);
  for (const text of ['0', '0g', '0x00']) t.equal(fromHex(text), undefined);
  t.same(fromHex('00fF'), new Uint8Array([0, 255]));
});

t.test('bytes compare as Fabric orders its keys', async (t) => {
  t.equal(compareBytes(utf8('a'), utf8('ab')), -1);
  t.equal(compareBytes(utf8('b'), utf8('ab')), 1);
  t.ok(equalBytes(concatBytes(utf8('a'), utf8('b')), utf8('ab')));
  t.notOk(equalBytes(utf8('ab'), utf8('ac')));
  t.equal(toHex(new Uint8Array([1, 255])), '01ff');
  t.equal(toBase64Url(new Uint8Array([255, 254])), '__4');
  t.throws(() => textOf(new Uint8Array([0xc3])));
});
