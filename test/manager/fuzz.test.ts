import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { textOf, utf8 } from '#base';
import { SeekInfo } from '#formats';
import { parseSeek, parseSeekHeader } from '../../manager/deliver-request.ts';
import { splitLines } from '../../manager/ndjson.ts';
import { readRegistry, updateRegistry } from '../../manager/registry-file.ts';
import { indexRegistry } from '../../manager/registry-index.ts';
import { makeCa } from '../crypto/certificates.ts';
import { fuzz, mutate, seededRandom } from '../crypto/fuzzing.ts';
import { makeMember } from './channel.ts';
import { at, newest, seekRequest } from './deliver-client.ts';

const clerk = await makeMember(await makeCa('Org1 CA'), 'Org1MSP');

t.test('whatever is done to a request for blocks, it is read or refused', async (t) => {
  const body = SeekInfo.encode({ start: at(7n), stop: newest, behavior: 1 } as SeekInfo);
  const inputs: readonly [(bytes: Uint8Array) => unknown, Uint8Array][] = [
    [parseSeekHeader, seekRequest(clerk)],
    [parseSeek, body],
  ];
  for (const [seed, [parse, valid]] of inputs.entries()) {
    const { escaped, refused, accepted } = fuzz(parse, valid, { seed, rounds: 5_000 });
    t.strictSame(escaped, []);
    t.ok(refused > 100 && accepted > 0);
  }
});

t.test('whatever is done to a registry file, it is read or refused', async (t) => {
  const file = join(t.testdir(), 'clients.json');
  const grants = [{ channel: 'deeds', contract: '*', functions: ['*'] }];
  updateRegistry(file, () => ({
    clients: [{ kid: 'clerk-1', certificate: clerk.pem, status: 'active', grants }],
    organisations: [{ msp: 'Org2MSP', status: 'revoked', grants: [] }],
  }));
  const read = (bytes: Uint8Array) => {
    writeFileSync(file, bytes);
    return indexRegistry(readRegistry(file));
  };
  const valid = utf8(JSON.stringify(readRegistry(file)));
  const { escaped, refused } = fuzz(read, valid, { seed: 3, rounds: 150 });
  t.strictSame(escaped, []);
  t.ok(refused > 50);
});

t.test('lines are cut at line feeds and nowhere else', async (t) => {
  const lines = (text: string) => splitLines(utf8(text)).map(textOf);
  t.strictSame(lines(''), []);
  t.strictSame(lines('a'), ['a']);
  t.strictSame(lines('a\n'), ['a']);
  t.strictSame(lines('a\r\nb\r\n'), ['a', 'b']);
  t.strictSame(lines('a\n\nb'), ['a', '', 'b']);
  t.strictSame(lines('a\rb\n\n'), ['a\rb', '']);
  const random = seededRandom(5);
  const wrong: string[] = [];
  for (let round = 0; round < 500; round += 1) {
    const bytes = mutate(utf8('one\ntwo\r\nthree\n\nfive'), random);
    const text = Buffer.from(bytes).toString('latin1');
    const expected = text.split('\n').map((line) => line.replace(/\r$/, ''));
    if (text === '' || text.endsWith('\n')) expected.pop();
    const found = splitLines(bytes).map((line) => Buffer.from(line).toString('latin1'));
    if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(text);
  }
  t.strictSame(wrong, []);
});
