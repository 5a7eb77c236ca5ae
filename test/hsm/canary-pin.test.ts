import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import pkcs11js from 'pkcs11js';
import { faultShim, shimIsMissing } from '../support/fault-shim.ts';
import { eventually } from '../support/eventually.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { endorsementPayload } from './samples.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const skip = shimIsMissing();
const hasDebugger = spawnSync('gcore', ['-h']).error === undefined;
const token = await temporaryToken(t, { keys: [{ label: 'node', role: 'node' }] });
/** Made at random for this test alone: wherever it is found, it came from the PIN file. */
const pin = readFileSync(token.pinFile);
const { module, moduleEnvironment, control } = faultShim(t, token.module);
const stateDir = join(token.dir, 'traced');
const host = await startSigner(t, token, {
  module,
  moduleEnvironment,
  stateDir,
  logLevel: 'trace',
});
const items = [{ keyLabel: 'node', proposalResponsePayload: endorsementPayload() }];

/** The signer host, and the processes of the token that it started. */
function processes(): number[] {
  const children = readFileSync(`/proc/${host.pid}/task/${host.pid}/children`, 'latin1');
  return [host.pid, ...children.trim().split(' ').filter(Boolean).map(Number)];
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

t.test(
  'after logins, losses and a new process the PIN was written nowhere',
  { skip },
  async (t) => {
    await host.client.endorse(items);
    control.fail('C_SignInit', pkcs11js.CKR_USER_NOT_LOGGED_IN, 1);
    await host.client.endorse(items);
    control.fail('C_Sign', pkcs11js.CKR_HOST_MEMORY, 1);
    await host.client.endorse(items).catch(() => {});
    await eventually(() => host.client.endorse(items));
    t.ok(control.calls('C_Login') >= 3, 'the PIN was used again and again');
    const found = filesBelow(token.dir)
      .filter((file) => file !== token.pinFile && existsSync(file))
      .filter((file) => readFileSync(file).includes(pin));
    t.strictSame(found, [], 'no file of the token, the host’s state, its configuration');
    t.notOk(host.log.join('\n').includes(pin.toString('latin1')), 'no line of the log at trace');
    t.ok(host.log.length > 0);
    const pids = processes();
    t.ok(pids.length >= 2, 'the token has a process of its own');
    for (const pid of pids) {
      for (const place of ['cmdline', 'environ']) {
        t.notOk(readFileSync(`/proc/${pid}/${place}`).includes(pin), `${place} of ${pid}`);
      }
    }
  },
);

const noDebugger = hasDebugger ? skip : 'gcore is not installed (Debian package gdb)';
t.test('a core file of the process that logs in holds no PIN', { skip: noDebugger }, async (t) => {
  const dir = temporaryDir(t);
  for (const pid of processes().slice(1)) {
    t.match(readFileSync(`/proc/${pid}/coredump_filter`, 'latin1'), /^0+$/m);
    execFileSync('gcore', ['-o', join(dir, 'core'), String(pid)], { stdio: 'ignore' });
    const core = readFileSync(join(dir, `core.${pid}`));
    t.ok(core.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1')), `${pid}: a core file`);
    t.notOk(core.includes(pin), `${pid}: without the PIN`);
  }
});

t.test('the host’s own memory, and so a core file of it, holds no PIN', { skip }, async (t) => {
  const memory = openSync(`/proc/${host.pid}/mem`, 'r');
  t.teardown(() => closeSync(memory));
  let bytes = 0;
  let isFound = false;
  for (const [start, length] of writtenMemory(host.pid)) {
    const region = Buffer.alloc(length);
    bytes += readSync(memory, region, 0, length, start);
    isFound ||= region.includes(pin);
  }
  t.ok(bytes > 10 * 1024 * 1024, 'its heap was read');
  t.notOk(isFound);
});

/** Places that a program may have written to; what is only reserved is left out. */
function writtenMemory(pid: number): (readonly [start: bigint, length: number])[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
  return lines.flatMap((line) => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from === undefined || line.includes('[v')) return [];
    const start = BigInt(`0x${from}`);
    const length = Number(BigInt(`0x${to}`) - start);
    return length < 512 * 1024 * 1024 ? [[start, length] as const] : [];
  });
}
