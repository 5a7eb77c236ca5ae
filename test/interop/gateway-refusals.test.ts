/** Every status code of Fabric's gateway, as an application on Fabric's SDK meets it. */
import { spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import t from 'tap';
import { limits } from '#base';
import { currentConfig, identityNames } from '#cli';
import { parsePem } from '#crypto';
import {
  Block,
  BlockchainInfo,
  Config,
  ProcessedTransaction,
  SerializedIdentity,
  deliverStatuses,
  headerHash,
  validationCodes,
} from '#formats';
import { TestCa } from '../policy/test-ca.ts';
import type { TestIdentity } from '../policy/test-ca.ts';
import { editMsp, groupAt } from '../policy/test-channel.ts';
import { broadcast, channelUpdate, identitySigner } from '../support/network-update.ts';
import type { ClientProfile } from './client-profile.ts';
import { fabricBinaries } from './fabric-binaries.ts';
import { until } from './poll.ts';
import { refusedCalls, statusOfNothing, toldAtDeadlines, untimelyCalls } from './refused-calls.ts';
import type { Caller } from './refused-calls.ts';
import { StockFabric } from './rival/stock-fabric.ts';
import { sdkClient, untilGatewayCommits } from './sdk-client.ts';
import {
  garbage,
  nothing,
  proposalLayers,
  proposing,
  signerOf,
  submitting,
  transactionLayers,
} from './tampered-calls.ts';
import type { Change } from './tampered-calls.ts';
import { fabricVersions } from './versions.ts';
import { startZone, zoneProfile } from './zone-for-clients.ts';

const waitMsMax = 60_000;
const vanishingCalls = 3_000;
const dir = t.testdir();

const zone = await startZone(2, { peerCount: 0 });
t.teardown(() => zone[Symbol.asyncDispose]());
const { layout } = zone.network;
const authority = join(layout.ca('org1'), 'ca');
const ca = new TestCa(
  parsePem(readFileSync(`${authority}.pem`, 'utf8')),
  createPrivateKey(readFileSync(`${authority}.key.pem`)),
);
const begin = new Date(ca.certificate.notBefore.getTime() + 60_000);
const user = zoneProfile(zone);
const unknown = await (await TestCa.root('ca.org1')).issue('stranger', { units: ['client'] });

function profileOf(profile: ClientProfile, name: string, identity: TestIdentity): ClientProfile {
  const certificateFile = join(dir, `${name}.pem`);
  const keyFile = join(dir, `${name}.key.pem`);
  writeFileSync(certificateFile, identity.pem);
  writeFileSync(keyFile, identity.keyPem, { mode: 0o600 });
  return { ...profile, certificateFile, keyFile };
}

function callerOf(profile: ClientProfile): Caller {
  const client = sdkClient(profile);
  t.teardown(() => client[Symbol.dispose]());
  const network = client.gateway.getNetwork(profile.channel);
  return {
    gateway: client.gateway,
    network,
    contract: network.getContract(profile.contract),
    signer: signerOf(profile),
    serialized: SerializedIdentity.encode({
      mspid: profile.mspid,
      idBytes: readFileSync(profile.certificateFile),
    }),
  };
}

/** The name of the code that a call fails with. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return 'OK';
  if (error instanceof GatewayError) return status[error.code] ?? String(error.code);
  // A stream of blocks ends with a status of its own, in a message.
  const [, number] = /status response: (\d+)/.exec((error as Error).message) ?? [];
  const name = Object.entries(deliverStatuses).find(([, value]) => value === Number(number))?.[0];
  if (name === undefined) throw error;
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

type Calls = typeof refusedCalls;

/** Which code each call is told. */
async function toldBy(profile: ClientProfile, name: string, calls: Calls) {
  const setting = {
    client: callerOf(profile),
    stranger: callerOf(profileOf(profile, `stranger-${name}`, unknown)),
  };
  const codes: Record<string, string> = {};
  for (const [what, call] of Object.values(calls).flat()) codes[what] = await codeOf(call(setting));
  return codes;
}

function expectedOf(calls: Calls): Record<string, string> {
  const all = Object.entries(calls);
  return Object.fromEntries(all.flatMap(([code, each]) => each.map(([what]) => [what, code])));
}

t.test('each status code of the gateway is what an application on the SDK is told', async (t) => {
  for (const calls of [refusedCalls, untimelyCalls]) {
    t.strictSame(await toldBy(user, 'zone', calls), expectedOf(calls));
  }
});

for (const version of fabricVersions()) {
  t.test(`and stock Fabric tells it the same (${version.name})`, async (t) => {
    await using stock = await StockFabric.start({
      binaries: await fabricBinaries(version),
      dir: join(dir, version.name),
      organisationCount: 2,
      blockWaitMs: 200,
    });
    await untilGatewayCommits(stock.profile());
    const told = await toldBy(stock.profile(), version.name, refusedCalls);
    t.strictSame(toldAtDeadlines(told), expectedOf(refusedCalls));
  });
}

const client = callerOf(user);
const prepare = () =>
  client.contract.newProposal('create', { arguments: [`${performance.now()}`, 'value'] });
t.test('an application finds blocks and transactions by the system contracts', async (t) => {
  const ask = (contract: string, ...call: readonly [string, ...string[]]) =>
    client.network.getContract(contract).evaluateTransaction(...call);
  const submitted = await client.contract.submitAsync('create', { arguments: ['found', 'value'] });
  const { blockNumber, transactionId } = await submitted.getStatus();
  const block = await ask('qscc', 'GetBlockByNumber', 'main', String(blockNumber));
  t.equal(Block.decode(block).header?.number, blockNumber);
  t.same(await ask('qscc', 'GetBlockByTxID', 'main', transactionId), block);
  const found = await ask('qscc', 'GetTransactionByID', 'main', transactionId);
  t.equal(ProcessedTransaction.decode(found).validationCode, validationCodes.VALID);
  const info = BlockchainInfo.decode(await ask('qscc', 'GetChainInfo', 'main'));
  t.equal(info.height, blockNumber + 1n);
  t.same(info.currentBlockHash, headerHash(Block.decode(block).header!));
  t.ok(Config.decode(await ask('cscc', 'GetChannelConfig', 'main')).channelGroup);
  t.equal(Block.decode(await ask('cscc', 'GetConfigBlock', 'main')).header?.number, 0n);
});

const damages: Readonly<Record<string, Change>> = {
  'that is no message': garbage,
  'that is empty': nothing,
};
/** What Evaluate and Endorse say: to what they cannot read, what they do not find, what nobody signed. */
const unreadable = ['INVALID_ARGUMENT', 'INVALID_ARGUMENT'] as const;
const unnamed = ['INVALID_ARGUMENT', 'FAILED_PRECONDITION'] as const;
const unsigned = ['FAILED_PRECONDITION', 'ABORTED'] as const;
const toldOfLayer: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  proposal: [unreadable, unreadable],
  header: [unreadable, unnamed],
  'channel header': [unreadable, unnamed],
  'header extension': [unsigned, unsigned],
  'signature header': [unsigned, unsigned],
  creator: [unsigned, unsigned],
  'proposal payload': [unreadable, unnamed],
  invocation: [unreadable, unnamed],
};

t.test('what is malformed in any layer of a proposal is refused', async (t) => {
  for (const [layer, inLayer] of Object.entries(proposalLayers)) {
    for (const [index, [damage, change]] of Object.entries(damages).entries()) {
      const options = proposing(client.signer, inLayer(change));
      const codes = [
        await codeOf(prepare().evaluate(options)),
        await codeOf(prepare().endorse(options)),
      ];
      t.strictSame(codes, toldOfLayer[layer]?.[index], `${layer} ${damage}`);
    }
  }
});

t.test('what is malformed in any layer of a transaction is not ordered', async (t) => {
  const { body } = await zone.service.get('/v1/health');
  for (const [layer, inLayer] of Object.entries(transactionLayers)) {
    for (const [damage, change] of Object.entries(damages)) {
      const endorsed = await prepare().endorse();
      const options = submitting(client.signer, inLayer(change));
      t.equal(await codeOf(endorsed.submit(options)), 'ABORTED', `${layer} ${damage}`);
    }
  }
  t.match((await zone.service.get('/v1/health')).body, {
    height: (body as { height: number }).height,
  });
});

t.test('what is larger than any honest call is refused unread', async (t) => {
  const huge = { arguments: ['key', 'v'.repeat(limits.grpcRequestBytesMax)] };
  t.equal(await codeOf(client.contract.evaluate('create', huge)), 'RESOURCE_EXHAUSTED');
  t.equal(await codeOf(client.contract.submit('create', huge)), 'RESOURCE_EXHAUSTED');
});

const ofRefusedClient = {
  evaluate: 'FAILED_PRECONDITION',
  endorse: 'ABORTED',
  submit: 'ABORTED',
  status: 'PERMISSION_DENIED',
  events: 'PERMISSION_DENIED',
  blocks: 'FORBIDDEN',
} as const;

/** What a client is told by each call; the transaction was endorsed for another. */
async function answersTo(caller: Caller): Promise<Record<string, string>> {
  const { contract, network, signer } = caller;
  const first = async (opening: Promise<AsyncIterable<unknown> & { close(): void }>) => {
    const items = await opening;
    try {
      for await (const item of items) return item;
      return undefined;
    } finally {
      items.close();
    }
  };
  const startBlock = { startBlock: 0n };
  return {
    evaluate: await codeOf(contract.evaluateTransaction('read', 'key')),
    endorse: await codeOf(contract.newProposal('create', { arguments: ['k', 'v'] }).endorse()),
    submit: await codeOf((await prepare().endorse()).submit(submitting(signer, (bytes) => bytes))),
    status: await codeOf(statusOfNothing(caller).getStatus({ deadline: Date.now() + 5_000 })),
    events: await codeOf(first(network.getChaincodeEvents('values', startBlock))),
    blocks: await codeOf(first(network.getBlockEvents(startBlock))),
  };
}

t.test('a client whose certificate has run out is refused everything', async (t) => {
  const notAfter = new Date(Date.now() - 60_000);
  const late = await ca.issue('late', { units: ['client'], notBefore: begin, notAfter });
  t.strictSame(await answersTo(callerOf(profileOf(user, 'late', late))), ofRefusedClient);
});

t.test('a revoked client is refused everything, from the next block on', async (t) => {
  const struck = await ca.issue('struck', { units: ['client'], notBefore: begin });
  const caller = callerOf(profileOf(user, 'struck', struck));
  t.equal(await codeOf(caller.contract.evaluateTransaction('read', 'none')), 'UNKNOWN');
  const crl = await ca.crl(struck);
  const update = channelUpdate(
    user.channel,
    await currentConfig(zone.network),
    (channel) =>
      editMsp(groupAt(channel, 'Application/Org1MSP'), (msp) => msp.revocationList.push(crl)),
    [identitySigner(zone, 'Org1MSP', identityNames.admin('org1'))],
  );
  t.match(await broadcast(zone, update), { status: deliverStatuses.success });
  await until('the client to be refused', waitMsMax, async () => {
    const code = await codeOf(caller.contract.evaluateTransaction('read', 'none'));
    return code === 'FAILED_PRECONDITION';
  });
  t.strictSame(await answersTo(caller), ofRefusedClient);
});

async function openCalls(): Promise<Record<string, number>> {
  const { body } = await zone.service.get('/metrics');
  const lines = String(body).matchAll(/^countersign_grpc_open\{kind="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, kind, value]) => [kind, Number(value)]));
}

t.test(
  'a client that waits for thousands of transactions and vanishes leaves nothing',
  async (t) => {
    const profileFile = join(dir, 'profile.json');
    writeFileSync(profileFile, JSON.stringify(user));
    const program = join(import.meta.dirname, 'vanishing-client.ts');
    const args = ['--no-deprecation', program, profileFile, String(vanishingCalls)];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    t.teardown(() => child.kill('SIGKILL'));
    await until('all calls to wait', waitMsMax, async () => {
      const { calls = 0, streams = 0 } = await openCalls();
      return calls >= vanishingCalls && streams >= 2;
    });
    child.kill('SIGKILL');
    await until('nothing to be open', waitMsMax, async () => {
      const { calls, streams } = await openCalls();
      return calls === 0 && streams === 0;
    });
    t.equal(await codeOf(client.contract.submitTransaction('create', 'after all', 'v')), 'OK');
  },
);
