import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkConfig, utf8 } from '#base';
import { dataHash } from '#formats';
import type { Block } from '#formats';
import { PeerConfig, buildPeer } from '#peer';
import { testNetwork } from '../policy/test-channel.ts';
import { LogLines } from '../support/log-lines.ts';
import { mappedPkcs11 } from '../support/memory-map.ts';
import { PeerProcess } from './peer-process.ts';
import { TestChain } from '../support/test-chain.ts';
import { bundleTransaction, definitionOf, requestOf } from '../support/test-transactions.ts';
import { ask, runPeer, scene } from './running-peer.ts';

/** Processes start here; on a busy machine each takes seconds. */

const network = await testNetwork(2);
const chain = new TestChain(network);
chain.append(definitionOf(network, 'notary'));
const stage = await scene(t, chain);
const { config, dir } = stage.place;
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const deps = { log: new LogLines().log, genesis: chain.genesis };
const { identity, deliver } = config;
const garbage = file('garbage.pem', 'no PEM at all');

const refused: Record<string, [changes: Partial<PeerConfig>, code: string]> = {
  'with the key of another certificate': [
    { identity: { ...identity, keyFile: file('other.pem', network.orgs[1]!.client.keyPem) } },
    'PEER_IDENTITY_INVALID',
  ],
  'with a key that is none': [
    { identity: { ...identity, keyFile: garbage } },
    'PEER_IDENTITY_INVALID',
  ],
  'with a certificate that is none': [
    { identity: { ...identity, certificateFile: garbage } },
    'PEER_IDENTITY_INVALID',
  ],
  'without its key file': [
    { identity: { ...identity, keyFile: join(dir, 'nothing') } },
    'PEER_FILE_UNREADABLE',
  ],
  'with authorities that are none': [
    { deliver: { ...deliver, caFile: garbage } },
    'PEER_TLS_INVALID',
  ],
  'with an empty file of authorities': [
    { deliver: { ...deliver, caFile: file('empty.pem', '') } },
    'PEER_TLS_INVALID',
  ],
  'with a TLS certificate that is none': [
    { http: { host: '127.0.0.1', port: 0, tls: { certificateFile: garbage, keyFile: garbage } } },
    'PEER_TLS_INVALID',
  ],
};
for (const [how, [changes, code]] of Object.entries(refused)) {
  t.test(`a peer ${how} does not start`, async (t) => {
    const ledgerDir = join(dir, 'never');
    await t.rejects(buildPeer({ ...config, ...changes, ledgerDir }, deps), { code });
  });
}

t.test('a peer starts from nothing but a genesis block', async (t) => {
  const header = chain.genesis.header!;
  const data = { data: [utf8('no envelope')] };
  const blocks: Record<string, [block: Block, code: string]> = {
    'a later block': [chain.newest, 'PEER_GENESIS_INVALID'],
    'a block without header': [{ ...chain.genesis, header: undefined }, 'PEER_GENESIS_INVALID'],
    'another content': [{ ...chain.genesis, data }, 'PEER_GENESIS_INVALID'],
    'no configuration': [
      { ...chain.genesis, header: { ...header, dataHash: dataHash(data.data) }, data },
      'POLICY_CONFIG_INVALID',
    ],
  };
  for (const [what, [genesis, code]] of Object.entries(blocks)) {
    const ledgerDir = join(dir, 'never');
    await t.rejects(buildPeer({ ...config, ledgerDir }, { ...deps, genesis }), { code }, what);
  }
});

t.test('002-17 a ledger that began with another genesis block is not gone on with', async (t) => {
  const { peer, committed } = await runPeer(t, stage);
  await committed(1);
  await peer.close();
  const spec = { ...network.spec, nonce: new Uint8Array(24).fill(8) };
  const { genesis } = new TestChain({ ...network, spec });
  await t.rejects(buildPeer(config, { ...deps, genesis }), { code: 'PEER_GENESIS_MISMATCH' });
  await using again = await buildPeer(config, deps);
  t.ok(again.port > 0, 'with its own it goes on');
});

t.test('two peers do not write one ledger', async (t) => {
  await using first = await buildPeer(config, deps);
  await t.rejects(buildPeer(config, deps), { code: 'LEDGER_LOCKED' });
  t.ok(first.port > 0);
});

t.test('the configuration is read strictly', async (t) => {
  t.same(checkConfig(PeerConfig, { ...config, logLevel: undefined }).http, config.http);
  for (const wrong of [
    { ...config, trustAnything: true },
    { ...config, deliver: { ...deliver, port: '7050' } },
    { ...config, deliver: { ...deliver, port: 0 } },
    { ...config, identity: { ...identity, pin: '1234' } },
    { ...config, name: '' },
    {},
  ]) {
    t.throws(() => checkConfig(PeerConfig, wrong), { code: 'BASE_CONFIG_INVALID' });
  }
});

t.test('a process that cannot be helped by a restart says so with status 2', async (t) => {
  const cases: Record<string, [config: object, code: string]> = {
    'unknown key': [{ ...config, executeContracts: true }, 'BASE_CONFIG_INVALID'],
    'no genesis file': [{ ...config, genesisFile: join(dir, 'none') }, 'PEER_FILE_UNREADABLE'],
    'no genesis block': [{ ...config, genesisFile: garbage }, 'PEER_GENESIS_INVALID'],
  };
  for (const [what, [wrong, code]] of Object.entries(cases)) {
    const peer = new PeerProcess(file('wrong.json', JSON.stringify(wrong)), config);
    t.equal(await peer.exitCode(), 2, what);
    t.match(peer.output, code);
  }
});

t.test('002-14 a process whose zone contradicts itself ends with status 2', async (t) => {
  const contradicting = new TestChain(network);
  const evidence = { treeSize: 7n, rootHash: dataHash([utf8('x')]) };
  const request = requestOf(network, { key: 'a', value: '1' });
  contradicting.blocks.push(
    contradicting.make([bundleTransaction(network, [request])], { evidence }),
  );
  const { place } = await scene(t, contradicting);
  const peer = new PeerProcess(place.configFile, place.config);
  t.equal(await peer.exitCode(), 2);
  t.match(peer.output, 'PEER_EVIDENCE_MISMATCH');
});

t.test('a peer’s process maps no library of tokens, and stops in peace when asked', async (t) => {
  const peer = new PeerProcess(stage.place.configFile, config);
  t.match(await ask(await peer.port(), '/v1/health'), { status: 200 });
  t.same(mappedPkcs11(peer.pid), []);
  t.equal(await peer.end('SIGTERM'), 0);
});
