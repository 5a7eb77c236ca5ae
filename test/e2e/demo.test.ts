import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { Test } from 'tap';
import { countersign } from './countersign.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'demo.ts');

t.test('the demo deposits a file, proves it, and shows what does not pass', async (t) => {
  const parent = temporaryDir(t);
  const dir = join(parent, 'net');
  const file = join(parent, 'deed.txt');
  writeFileSync(file, 'of sale\n');
  const { stdout } = await promisify(execFile)(process.execPath, [program, file, '--dir', dir]);
  const digest = createHash('sha256').update('of sale\n').digest('hex');
  t.match(stdout, `${file}  sha256 ${digest}`);
  t.match(stdout, /^ {2}endorsements {2}Org1MSP, Org2MSP, Org3MSP$/m);
  t.match(stdout, /^ {2}peer-1 +VALID$/m);
  t.match(stdout, /^ {2}peer-2 +VALID$/m);
  t.match(stdout, /^ {2}verified +offline/m);
  t.match(stdout, /^a changed copy of deed.txt: refused/m);
  t.match(stdout, /^a changed receipt: refused, PEER_RECEIPT_/m);
  t.match(stdout, '1 files deposited, 1 receipts verified offline.');
  const receipt = /^ {2}receipt +(.*)$/m.exec(stdout)?.[1] ?? '';
  t.ok(receipt.startsWith(dir) && existsSync(receipt));
  const genesis = ['--genesis', join(dir, 'genesis.block')];
  t.equal((await countersign('receipt', 'verify', receipt, ...genesis)).status, 0);
  const running = /starting \d+ processes: (.*) … /.exec(stdout)?.[1]?.split(', ') ?? [];
  t.equal(running.length, 9);
  for (const name of running) {
    const log = readFileSync(join(dir, 'log', `${name}.log`), 'utf8');
    t.notMatch(log, /"level":[56]0/, `${name} had no error to tell`);
  }
  await auditLogs(t, dir);
});

/** Every signature on the ledger is on record, of blocks, envelopes and endorsements. */
async function auditLogs(t: Test, dir: string): Promise<void> {
  const ledger = ['--ledger', join(dir, 'ledger', 'manager')];
  const of = (token: string) => ['--token', token, '--dir', dir, ...ledger];
  const certificates = ['org1', 'org2'].map((org) => join(dir, 'certificates', `node0.${org}.pem`));
  const other = [join(dir, 'guard', 'org2', 'signatures'), '--log', 'org2/signatures'];
  const [zone, org1, foreign] = await Promise.all([
    countersign('audit', 'verify', ...of('zone')),
    countersign('audit', 'verify', ...of('org1')),
    countersign('audit', 'verify', ...other, '--certificate', certificates.join(','), ...ledger),
  ]);
  for (const { status, stdout } of [zone, org1]) {
    t.equal(status, 0, stdout);
    const { signatures, ledger } = JSON.parse(stdout) as {
      signatures: { records: number; coveredSequence: number };
      ledger: { signaturesOnLedger: number };
    };
    t.ok(ledger.signaturesOnLedger > 0, `${ledger.signaturesOnLedger} on the ledger`);
    t.equal(signatures.coveredSequence, signatures.records - 1, 'all but the last checkpoint');
  }
  t.not(foreign.status, 0);
  t.match(foreign.stderr, 'CLI_SIGNATURE_UNRECORDED', 'org1 has signed what org2 knows nothing of');
}
