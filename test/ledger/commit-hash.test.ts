import { createHash } from 'node:crypto';
import t from 'tap';
import { fromHex, toHex, utf8 } from '#base';
import { commitHash, versionBytes } from '../../ledger/commit-hash.ts';
import { UpdateBatch } from '../../ledger/update-batch.ts';
import { commit, openTestLedger } from './support.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const sha256 = (...hex: string[]) =>
  createHash('sha256')
    .update(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'))
    .digest('hex');

/*
 * Laid out by hand after Fabric's kv_ledger.go and update_batch_bytes.go: length of the codes, the
 * codes, txmgr.Updates, previous commit hash.
 */
const codes = '03 000b00';
const updates = [
  // KVWrite { namespace "a", key "k", value "v1", version_bytes {1, 2} }
  '0a 10',
  '0a 01 61',
  '1a 01 6b',
  '2a 02 7631',
  '32 04 01010102',
  // KVWrite { namespace "n", key "b", is_delete, version_bytes {1, 0} }
  '0a 0d',
  '0a 01 6e',
  '1a 01 62',
  '20 01',
  '32 03 010100',
  // KVWrite { key "c", value "x", version_bytes {256, 0}: no namespace, it is the one before }
  '0a 0c',
  '1a 01 63',
  '2a 01 78',
  '32 04 02010000',
].join('');

t.test('the commit hash is that of the bytes Fabric hashes', async (t) => {
  const batch = new UpdateBatch();
  const version = (blockNum: bigint, txNum: bigint) => ({ blockNum, txNum });
  const put = (value: string | undefined, at: { blockNum: bigint; txNum: bigint }) => ({
    value: value === undefined ? undefined : utf8(value),
    metadata: utf8('metadata is not hashed'),
    version: at,
  });
  batch.set('n', 'c', put('x', version(256n, 0n)));
  batch.set('', 'CHANNEL_CONFIG_ENV_BYTES', put('config is not hashed', version(1n, 0n)));
  batch.set('n', 'b', put(undefined, version(1n, 0n)));
  batch.set('a', 'k', put('v1', version(1n, 2n)));
  const first = commitHash(Uint8Array.of(0, 11, 0), batch, new Uint8Array(0));
  t.equal(toHex(first), sha256(codes, updates));
  const second = commitHash(Uint8Array.of(0, 11, 0), batch, first);
  t.equal(toHex(second), sha256(codes, updates, toHex(first)));
});

t.test('versions are ordered numbers without leading zero bytes', async (t) => {
  const hex = (blockNum: bigint, txNum: bigint) => toHex(versionBytes({ blockNum, txNum }));
  t.equal(hex(0n, 0n), '0000');
  t.equal(hex(1n, 255n), '010101ff');
  t.equal(hex(0x1234n, 0x0100n), '021234020100');
  t.equal(hex(2n ** 64n - 1n, 1n), '08ffffffffffffffff0101');
});

t.test('a block of many codes has a length of two bytes', async (t) => {
  const many = new Uint8Array(300).fill(10);
  t.equal(
    toHex(commitHash(many, new UpdateBatch(), fromHex('ff')!)),
    sha256('ac02', toHex(many), 'ff'),
  );
});

t.test('the chain of commit hashes starts at block 1', async (t) => {
  await using ledger = await openTestLedger(temporaryDir(t));
  const one = await commit(ledger, { name: 'x', writes: [['k', 'v']] });
  const write = '0a 13  0a 06 6e6f74617279  1a 01 6b  2a 01 76  32 03 010100';
  t.equal(toHex(one.commitHash), sha256('01 00', write));
  const two = await commit(ledger, { name: 'y', mark: 'badly endorsed' });
  t.equal(toHex(two.commitHash), sha256('01 0a', toHex(one.commitHash)));
});
