import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { emptyBytes, limits, silentLog, systemClock, utf8 } from '#base';
import type { Clock } from '#base';
import {
  Block,
  Envelope,
  Metadata,
  Payload,
  buildChannelHeader,
  dataHash,
  headerTypes,
} from '#formats';
import type { SignBlockCall, SignerClient } from '#formats';
import { WitnessPeers } from '../../manager/witness-peers.ts';
import type { WitnessConfig } from '../../manager/witness-peers.ts';
import { blockCall, nextBlock } from '../hsm/samples.ts';
import { startSigner } from '../support/signer-process.ts';
import { temporaryToken } from '../support/softhsm.ts';
import { temporaryDir } from '../support/temporary-dir.ts';

const token = await temporaryToken(t, { keys: [{ label: 'ordering', role: 'ordering' }] });
const stateDir = join(token.dir, 'state');
const host = await startSigner(t, token, { stateDir });
const identity = (await host.client.describe())[0]!.serializedIdentity;

/** Transactions of a channel, so that the block's header says of which it is. */
function transactionsOf(channel: string): Uint8Array[] {
  const type = headerTypes.endorserTransaction;
  const channelHeader = buildChannelHeader({ type, channel, timeMs: 0 });
  const header = { channelHeader, signatureHeader: utf8('any') };
  const payload = Payload.encode({ header, data: utf8('any') });
  return [Envelope.encode({ payload, signature: utf8('any') })];
}

const ours = { dataHash: dataHash(transactionsOf('ch')) };
const first = blockCall(identity, 1n, ours);
const second = nextBlock(first, identity, ours);
const firstBlock = asBlock(first, await host.client.signBlock(first));
copyFileSync(join(stateDir, 'blocks.guard'), join(token.dir, 'yesterday'));
const secondSignature = await host.client.signBlock(second);
const secondBlock = asBlock(second, secondSignature);

function asBlock(call: SignBlockCall, signature: Uint8Array, channel = 'ch'): Uint8Array {
  const { number, previousHash, dataHash: hash, metadataValue: value, signatureHeader } = call;
  const signatures = [{ signatureHeader, signature, identifierHeader: emptyBytes }];
  const metadata = [Metadata.encode({ value, signatures })];
  return Block.encode({
    header: { number, previousHash, dataHash: hash },
    data: { data: transactionsOf(channel) },
    metadata: { metadata },
  });
}

/** A peer that says what it is told to. @returns its origin. */
async function peerWith(
  t: Test,
  health: unknown,
  block: Uint8Array | (() => Uint8Array),
): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === '/v1/health') response.end(JSON.stringify(health));
    else response.end(typeof block === 'function' ? block() : block);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Asked {
  readonly height: bigint;
  readonly urls: readonly string[];
  readonly answersMin?: number;
  readonly clock?: Clock;
}

function witnesses(
  signer: SignerClient,
  { height, urls, answersMin = 0, clock = systemClock }: Asked,
): WitnessPeers {
  const config: WitnessConfig = { peers: urls.map((url) => ({ url })), answersMin };
  const shared = { keyLabel: 'ordering', channel: 'ch', log: silentLog, clock };
  return new WitnessPeers({ ...shared, signer, config, ledger: { height } });
}

const rolledBack = { code: 'HSM_GUARD_ROLLED_BACK', kind: 'fatal' };

t.test(
  'a guard that was restored from a copy hears it from a peer, and signs nothing',
  async (t) => {
    const place = { stateDir: temporaryDir(t), socket: join(token.dir, 'old.sock') };
    copyFileSync(join(token.dir, 'yesterday'), join(place.stateDir, 'blocks.guard'));
    const old = await startSigner(t, token, place);
    const lagging = await peerWith(t, { height: 2, channel: 'ch' }, firstBlock);
    await witnesses(old.client, { height: 2n, urls: [lagging], answersMin: 1 }).ask();
    const knowing = await peerWith(t, { height: 3, channel: 'ch' }, secondBlock);
    // Its ledger is of yesterday, too: neither knows that it has signed a block 2.
    const asking = witnesses(old.client, { height: 2n, urls: [lagging, knowing] }).ask();
    await t.rejects(asking, rolledBack);
    const rival = nextBlock(first, identity, { variant: 'b' });
    await t.rejects(old.client.signBlock(rival), rolledBack);
    t.match(await old.client.report(), { guardFaultCode: 'HSM_GUARD_ROLLED_BACK' });
  },
);

t.test('a ledger that lacks a block of ours is not gone on with', async (t) => {
  const urls = [await peerWith(t, { height: 3, channel: 'ch' }, secondBlock)];
  await witnesses(host.client, { height: 3n, urls, answersMin: 1 }).ask();
  await t.rejects(witnesses(host.client, { height: 2n, urls }).ask(), {
    code: 'MANAGER_LEDGER_BEHIND',
    kind: 'fatal',
    detail: { number: 2n, height: 2n },
  });
});

t.test('peers are asked again when a reader knows more, but not at every call', async (t) => {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs };
  const shown = { height: 2, channel: 'ch' };
  const urls = [await peerWith(t, shown, () => (shown.height === 2 ? firstBlock : secondBlock))];
  const asked = witnesses(host.client, { height: 2n, urls, clock });
  await asked.ask();
  shown.height = 3;
  await asked.askAgain();
  nowMs += limits.peersAskedEveryMsMin;
  await t.rejects(asked.askAgain(), { code: 'MANAGER_LEDGER_BEHIND' });
});

t.test('a peer without our signature stops nothing, whatever it shows', async (t) => {
  const third = nextBlock(second, identity, ours);
  const stranger = blockCall(identity, 9n, { dataHash: dataHash(transactionsOf('other')) });
  const shown: [health: unknown, block: Uint8Array][] = [
    [{ height: 4, channel: 'ch' }, asBlock(third, secondSignature)],
    [{ height: 3, channel: 'other' }, secondBlock],
    [{ height: 3, channel: 'ch' }, asBlock(second, secondSignature, 'other')],
    [{ height: 10, channel: 'ch' }, asBlock(stranger, secondSignature, 'other')],
    [{ height: 3, channel: 'ch' }, secondBlock.subarray(0, -9)],
    [
      { height: 3, channel: 'ch' },
      Block.encode({ header: undefined, data: undefined, metadata: undefined }),
    ],
    [{ height: -1, channel: 'ch' }, secondBlock],
    ['no', secondBlock],
  ];
  const urls = await Promise.all(shown.map(([health, block]) => peerWith(t, health, block)));
  await witnesses(host.client, { height: 3n, urls, answersMin: 1 }).ask();
  await t.rejects(witnesses(host.client, { height: 3n, urls, answersMin: 2 }).ask(), {
    code: 'MANAGER_WITNESSES_SILENT',
    kind: 'busy',
  });
  t.type(await host.client.signBlock(second), Uint8Array);
});

t.test('a peer is not believed without TLS unless it is on this machine', async (t) => {
  const invalid = { code: 'MANAGER_WITNESS_INVALID', kind: 'malformed' };
  for (const url of ['http://peer.example.com', 'https://peer.example.com']) {
    t.throws(() => witnesses(host.client, { height: 1n, urls: [url] }), invalid, url);
  }
  const urls = ['http://127.0.0.1:1'];
  t.throws(() => witnesses(host.client, { height: 1n, urls, answersMin: 2 }), invalid);
  await t.resolves(witnesses(host.client, { height: 1n, urls }).ask(), 'nobody there');
});
