import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { chooseLoopbackPorts } from '#cli';
import { portRange, takePort } from '../../cli/loopback-ports.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

t.test('the range is the larger one of those that the kernel leaves', async (t) => {
  t.same(portRange([32_768, 60_999]), [10_000, 32_767]);
  t.same(portRange([1_024, 20_000]), [20_001, 65_535]);
});

t.test('no port is one that the kernel may give to somebody who connects', async (t) => {
  const dir = temporaryDir(t);
  const [from = 0, to = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .map(Number);
  for (const port of await chooseLoopbackPorts(20, dir)) t.ok(port < from || port > to, `${port}`);
});

t.test('all ports that are chosen at once differ', async (t) => {
  const holders = [temporaryDir(t), temporaryDir(t)];
  const choosing = holders.flatMap((holder) => [1, 2].map(() => chooseLoopbackPorts(150, holder)));
  const chosen = await Promise.all(choosing);
  t.equal(new Set(chosen.flat()).size, 600);
});

t.test('a port is its holder’s for as long as that exists', async (t) => {
  const [one, other] = [join(temporaryDir(t), 'one'), temporaryDir(t)];
  mkdirSync(one);
  const [port = 0] = await chooseLoopbackPorts(1, one);
  t.notOk(await takePort(port, other));
  rmdirSync(one);
  t.ok(await takePort(port, other));
  t.notOk(await takePort(port, one));
});

t.test('what was reserved for a holder that is gone is forgotten by the next', async (t) => {
  const passing = join(temporaryDir(t), 'passing');
  mkdirSync(passing);
  const ports = await chooseLoopbackPorts(5, passing);
  const files = ports.map((port) =>
    join(tmpdir(), `countersign-ports-${userInfo().uid}`, String(port)),
  );
  t.ok(files.every((file) => existsSync(file)));
  rmdirSync(passing);
  await chooseLoopbackPorts(1, temporaryDir(t));
  t.notOk(files.some((file) => existsSync(file)));
});

t.test('a port that somebody listens on is not taken', async (t) => {
  const [passing, dir] = [join(temporaryDir(t), 'passing'), temporaryDir(t)];
  mkdirSync(passing);
  const [port = 0] = await chooseLoopbackPorts(1, passing);
  rmdirSync(passing);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  t.teardown(() => server.close());
  t.notOk(await takePort(port, dir));
});
