import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { toHex } from '#base';
import { verifyFabric } from '#crypto';
import { blockSignatureInput, headerHash } from '#formats';
import type { SignerConfig } from '#hsm';
import type { SignBlockCall } from '#formats';
import { SignerRefused, startSigner } from '../support/signer-process.ts';
import type { SignerProcess } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { seededRandom } from '../crypto/fuzzing.ts';
import { blockCall, nextBlock } from './samples.ts';

/** Two hosts at once; the interop tests and the bench end many more. */
const killsPerHost = 6;

/** Block numbers with the header hashes that a signature was seen for. */
type Released = Map<bigint, Set<string>>;

/** Signs block after block until the host is gone. @returns the one that had no answer. */
async function signUntilGone(
  host: SignerProcess,
  first: SignBlockCall,
  released: Released,
): Promise<SignBlockCall> {
  let block = first;
  for (;;) {
    try {
      await signAndNote(host, block, released);
    } catch (error) {
      if ((error as { code?: string }).code?.startsWith('BASE_LINK_') !== true) throw error;
      return block;
    }
    block = nextBlock(block, identity);
  }
}

async function signAndNote(
  host: SignerProcess,
  block: SignBlockCall,
  released: Released,
): Promise<void> {
  const signature = await host.client.signBlock(block);
  const content = blockSignatureInput(block.metadataValue, block.signatureHeader, block);
  if (!verifyFabric(publicKey, content, signature)) throw new Error('a wrong signature');
  const hashes = released.get(block.number) ?? new Set<string>();
  released.set(block.number, hashes.add(toHex(headerHash(block))));
}

function outcomeOf(asking: Promise<unknown>): Promise<string> {
  return asking.then(
    () => 'signed',
    (error: { code?: string }) => error.code ?? 'failed otherwise',
  );
}

const token = await temporaryToken(t, { keys: [{ label: 'ordering', role: 'ordering' }] });
const publicKey = token.certificateOf.get('ordering')!.certificate.publicKey;
const probe = await startSigner(t, token, { socket: join(token.dir, 'probe.sock') });
const identity = (await probe.client.describe())[0]!.serializedIdentity;
await probe.stop();

/** A token whose other user was just killed may need a moment; the exit status says so. */
async function startAgain(t: Test, place: Partial<SignerConfig>): Promise<SignerProcess> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await startSigner(t, token, place);
    } catch (error) {
      const mayPass = error instanceof SignerRefused && error.exitCode === 1;
      if (!mayPass || attempt >= 5) throw error;
    }
  }
}

/** One host's life of many deaths; on every return a rival of the unanswered block is tried first. */
async function killAgainAndAgain(t: Test, name: string, seed: number): Promise<number> {
  const random = seededRandom(seed);
  const released: Released = new Map();
  const place = { socket: join(token.dir, `${name}.sock`), stateDir: join(token.dir, name) };
  let host = await startSigner(t, token, place);
  let next = blockCall(identity, 1n);
  let refused = 0;
  for (let round = 0; round < killsPerHost; round += 1) {
    const dying = host;
    setTimeout(() => void dying.kill(), random() * 30);
    const last = await signUntilGone(host, next, released);
    await host.kill();
    host = await startAgain(t, place);
    const rival = { ...last, dataHash: new Uint8Array(32).fill(round) };
    const outcome = await outcomeOf(signAndNote(host, rival, released));
    if (outcome === 'HSM_BLOCK_CONFLICT') {
      refused += 1;
      // It was on record, so its own signature is still to be had.
      await signAndNote(host, last, released);
      next = nextBlock(last, identity);
    } else {
      t.equal(outcome, 'signed', 'the crash came before the record');
      t.equal(await outcomeOf(host.client.signBlock(last)), 'HSM_BLOCK_CONFLICT');
      next = nextBlock(rival, identity);
    }
  }
  const twice = [...released].filter(([, hashes]) => hashes.size !== 1);
  t.strictSame(twice, [], 'one hash for every height');
  t.equal(released.size, Number(next.number) - 1, 'and a signature for every height');
  return refused;
}

const title = 'killed at any moment, a host never signs two blocks of one height';
t.test(title, async (t) => {
  const refused = await Promise.all([
    killAgainAndAgain(t, 'first', 1),
    killAgainAndAgain(t, 'second', 2),
  ]);
  t.ok(Math.max(...refused) > 0, `${refused.join(' and ')} rivals came after a record`);
});
