import t from 'tap';
import { Fault, toHex } from '#base';
import { Config, ConfigEnvelope, hasUnknownFields, headerTypes, validationCodes } from '#formats';
import { acceptConfigUpdate, validateTransaction } from '#policy';
import type { ChannelConfig } from '#policy';
import { seededRandom } from '../crypto/fuzzing.ts';
import { badResults } from '../policy/bad-results.ts';
import { badUpdates } from '../policy/bad-updates.ts';
import { goodUpdates } from '../policy/good-updates.ts';
import { stricterHere } from '../policy/stricter-updates.ts';
import { channelId } from '../policy/test-channel.ts';
import { lookupsOf } from '../policy/test-transaction.ts';
import { configAfter, signerOf, updateEnvelope, zone } from '../policy/update-setting.ts';
import { signedEnvelope, sortedConfig } from '../support/config-update.ts';
import { askFabric } from './config-oracle.ts';
import type { OracleAnswer, OracleQuestion } from './config-oracle.ts';
import { mutated } from './mutations.ts';
import { RandomUpdates } from './random-updates.ts';

const seed = 20_261_121;
const randomCount = 600;
/** After so many updates the channel is new again: random ones soon lock everybody out. */
const chainLengthMax = 12;

const ordering = signerOf(zone, zone.orderer);
const orderer = { serialized: ordering.serialized, keyPem: zone.orderer.keyPem };
const fresh = configAfter();

interface Verdict {
  title: string;
  question: OracleQuestion;
  /** The configuration after it, sorted, in hex; or the fault. */
  ours: string | Fault;
}

/** What ours says of an update, and what comes after it. */
function judged(title: string, config: ChannelConfig, update: Uint8Array) {
  const question = { channel: channelId, config: Config.encode(config.config), update };
  try {
    const { next, envelope } = acceptConfigUpdate(config, update, {
      orderer: orderer.serialized,
      at: new Date(),
    });
    return { title, question, ours: toHex(sortedConfig(next.config)), next, envelope };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { title, question, ours: error };
  }
}

const tables: { name: string; verdicts: Verdict[] }[] = [
  {
    name: 'good updates',
    verdicts: goodUpdates.map(([title, parts]) =>
      judged(title, fresh, updateEnvelope(fresh.config, parts)),
    ),
  },
  {
    name: 'bad updates',
    verdicts: [...badUpdates, ...badResults].map(({ title, parts, before }) =>
      judged(title, configAfter(before), updateEnvelope(fresh.config, parts)),
    ),
  },
];

const random = new RandomUpdates(seed);
const results: { config: ChannelConfig; result: Uint8Array }[] = [];
const chain: Verdict[] = [];
for (let index = 0, current = fresh; index < randomCount; index += 1) {
  if (index % chainLengthMax === 0) current = fresh;
  const verdict = judged(`${index}`, current, random.next(current.config));
  chain.push(verdict);
  if (verdict.next === undefined) continue;
  results.push({ config: current, result: ConfigEnvelope.encode(verdict.envelope) });
  current = verdict.next;
}
tables.push({ name: `${randomCount} random updates`, verdicts: chain });

for (const { name, verdicts } of tables) {
  t.test(`Fabric's orderer says the same of ${name}`, async (t) => {
    const answers = await askFabric(
      verdicts.map(({ question }) => question),
      orderer,
    );
    const differing = verdicts.filter(({ ours }, index) => !agrees(ours, answers[index]!));
    t.strictSame(
      differing.map(({ title, ours }) => [
        title,
        said(ours),
        answers[verdicts.findIndex((one) => one.title === title)]?.reason,
      ]),
      [],
    );
    t.equal(answers.length, verdicts.length);
    const goodCount = answers.filter(({ good }) => good).length;
    t.comment(`${goodCount} of ${answers.length} are good`);
  });
}

t.test('random updates are neither all good nor all bad', async (t) => {
  t.ok(results.length > randomCount / 6, `${results.length} good ones`);
  t.ok(results.length < (randomCount * 5) / 6, `${results.length} good ones`);
  const codes = new Set(chain.map(({ ours }) => (ours instanceof Fault ? ours.code : 'good')));
  t.ok(codes.size >= 9, [...codes].join(', '));
});

t.test('what is stricter here is taken by Fabric', async (t) => {
  const verdicts = stricterHere.map(({ title, parts }) =>
    judged(title, fresh, updateEnvelope(fresh.config, parts)),
  );
  const answers = await askFabric(
    verdicts.map(({ question }) => question),
    orderer,
  );
  for (const [index, { title, ours }] of verdicts.entries()) {
    t.ok(ours instanceof Fault, title);
    t.ok(answers[index]!.good, `${title}: ${answers[index]!.reason}`);
  }
});

t.test("Fabric's peer takes every result of ours, and says the same of changed ones", async (t) => {
  const below = belowOf(seed);
  const asked = results.flatMap(({ config, result }) =>
    [result, ...Array.from({ length: 3 }, () => mutated(result, below))].map((bytes) => ({
      config,
      bytes,
    })),
  );
  const answers = await askFabric(
    asked.map(({ config, bytes }) => ({
      channel: channelId,
      config: Config.encode(config.config),
      result: bytes,
    })),
    orderer,
  );
  let taken = 0;
  for (const [index, { config, bytes }] of asked.entries()) {
    const ours = peerVerdict(config, bytes);
    const { good, reason } = answers[index]!;
    if (good) taken += 1;
    const same = good === (ours === undefined) || (good && isStricter(ours!, bytes));
    if (!same) t.fail(`${index}: ${ours?.code} ${JSON.stringify(ours?.detail)}, Fabric: ${reason}`);
  }
  t.ok(taken >= results.length && taken < asked.length, `${taken} of ${asked.length}`);
});

function peerVerdict(config: ChannelConfig, data: Uint8Array): Fault | undefined {
  const envelope = signedEnvelope(data, {
    channelId,
    type: headerTypes.config,
    sender: ordering,
  });
  try {
    const { code } = validateTransaction(config, envelope, lookupsOf({}));
    if (code !== validationCodes.VALID) throw new TypeError(`code ${code} of a configuration`);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

function isStricter(ours: Fault, data: Uint8Array): boolean {
  return isStricterByDesign(ours) || hasUnknownFields(ConfigEnvelope, data);
}

function agrees(ours: string | Fault, fabric: OracleAnswer): boolean {
  if (ours instanceof Fault) return !fabric.good || isStricterByDesign(ours);
  return fabric.config !== undefined && toHex(sortedConfig(Config.decode(fabric.config))) === ours;
}

/** Refusals that docs/FABRIC.md names as the zone's own. */
function isStricterByDesign({ code, detail }: Fault): boolean {
  const reason = String(detail['reason']);
  switch (code) {
    case 'POLICY_UPDATE_FIELD_UNKNOWN':
      return true;
    case 'POLICY_UPDATE_MALFORMED':
      return reason === 'FORMATS_PROTOBUF_NOT_CANONICAL';
    case 'POLICY_UPDATE_FORBIDDEN':
      return ['state of consensus', 'metadata of consensus'].includes(reason);
    case 'POLICY_UPDATE_ORDERER_DENIED':
      return detail['policy'] === '/Channel/Orderer/BlockValidation';
    case 'POLICY_CONFIG_UNFOUNDED':
      return reason === 'POLICY_UPDATE_FIELD_UNKNOWN' || stricterResults.includes(reason);
    case 'POLICY_CONFIG_INVALID':
      return stricterResults.includes(reason);
    default:
      return false;
  }
}

const stricterResults = [
  'a group is missing',
  'hashing algorithm',
  'unknown capability',
  'capability is missing',
  'no policy BlockValidation',
  'unknown implicit rule',
  'consensus type',
];

function said(ours: string | Fault): string {
  return ours instanceof Fault ? `${ours.code} ${JSON.stringify(ours.detail)}` : 'good';
}

function belowOf(start: number): (bound: number) => number {
  const next = seededRandom(start);
  return (bound) => Math.floor(next() * bound);
}
