import { readFileSync, readdirSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import { childrenOf, mappedPkcs11 } from '../support/memory-map.ts';
import { TestNetwork } from '../support/test-network.ts';
import { answerOf } from './answers.ts';
import type { Answer } from './answers.ts';

const network = await TestNetwork.start({ endorserCount: 1, peerCount: 1 }, (made) => {
  for (const name of made.processNames) {
    made.configure(name, (config) => (config['logLevel'] = 'trace'));
  }
});
t.teardown(() => network[Symbol.asyncDispose]());
const { layout, spec } = network.network;
await network.deploy('notary');
const alice = await network.client('alice');
const pids = network.processNames.map((name) => ({ name, pid: network.processes.pid(name) ?? 0 }));

/** Everything that the network has on disk now. */
function entries(): { entry: Dirent; path: string }[] {
  return readdirSync(network.dir, { recursive: true, withFileTypes: true }).map((entry) => ({
    entry,
    path: join(entry.parentPath, entry.name),
  }));
}

let deposits = 0;

function deposit(): [string, ...string[]] {
  deposits += 1;
  return ['deposit', deposits.toString(16).padStart(64, '0'), 'x.txt', 'text/plain'];
}

t.test('002-19 only the tokens’ processes map a PKCS#11 library, whatever runs', async (t) => {
  const requests = Array.from({ length: 200 }, () => alice.sign('notary', deposit()));
  const posting = { isDone: false };
  const posted = network.service.postMany(requests).finally(() => {
    posting.isDone = true;
  });
  const mapped = new Map(pids.map(({ name }) => [name, new Set<string>()]));
  let looks = 0;
  do {
    for (const { name, pid } of pids) {
      for (const file of mappedPkcs11(pid)) mapped.get(name)?.add(basename(file));
    }
    looks += 1;
    await new Promise(setImmediate);
  } while (!posting.isDone);
  t.ok(
    (await posted).every((answer) => (answer as Answer).status === 200),
    `contracts ran during ${looks} looks`,
  );
  for (const [name, files] of mapped) {
    t.same([...files], [], `${name} does not`);
  }
  for (const { name, pid } of pids.filter((one) => one.name.startsWith('signer-'))) {
    const files = childrenOf(pid)
      .flatMap(mappedPkcs11)
      .map((file) => basename(file));
    t.ok(files.includes('libsofthsm2.so'), `the token’s process of ${name} does`);
  }
});

t.test('a PIN is in its own file and nowhere else', async (t) => {
  answerOf(await alice.post('notary', deposit()));
  const tokens = [...spec.organisations, spec.zone].map(({ name }) => layout.token(name));
  const pinFiles = tokens.flatMap((dir) => [join(dir, 'user.pin'), join(dir, 'so.pin')]);
  const pins = pinFiles.map((file) => readFileSync(file, 'utf8').trim());
  t.ok(pins.every((pin) => pin.length >= 8) && new Set(pins).size === pins.length);
  const places = [
    ...entries()
      .filter(({ entry, path }) => entry.isFile() && !pinFiles.includes(path))
      .map(({ path }) => path),
    ...pids
      .flatMap(({ pid }) => [pid, ...childrenOf(pid)])
      .flatMap((pid) => ['cmdline', 'environ'].map((file) => `/proc/${pid}/${file}`)),
  ];
  const found = places.filter((place) => {
    const content = readFileSync(place);
    return pins.some((pin) => content.includes(pin));
  });
  t.same(found, []);
  t.ok(places.some((place) => place.endsWith('signer-org1.log')));
  const log = readFileSync(layout.log('manager'), 'utf8');
  t.match(log, '"level":20', 'the logs are as talkative as they can be');
});

t.test('sockets, keys and directories are their owner’s alone', async (t) => {
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
  const named = entries();
  const sockets = named.filter(({ entry }) => entry.isSocket());
  const serving = pids.filter(({ name }) => /^(signer|endorser)-/.test(name)).length;
  // A signer host has one more for what it reports, and one for its operators.
  const besides = 2 * pids.filter(({ name }) => name.startsWith('signer-')).length;
  t.equal(sockets.length, serving + besides);
  const secrets = named.filter(
    ({ entry, path }) => /key\.pem$|\.pin$/.test(entry.name) || dirname(path) === layout.configDir,
  );
  for (const { path } of [...sockets, ...secrets]) t.equal(modeOf(path), '600', path);
  const inLedger = join(network.dir, 'ledger');
  for (const { entry, path } of named) {
    // What a ledger's own directory holds is out of others' reach already.
    if (entry.isDirectory() && !entry.parentPath.startsWith(`${inLedger}/`)) {
      t.equal(modeOf(path), '700', path);
    }
  }
  t.equal(modeOf(network.dir), '700');
});
