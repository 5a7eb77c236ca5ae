/** What validation must not let into a block. The numbers are those of docs/FABRIC.md. */
import t from 'tap';
import {
  Capabilities,
  ConfigEnvelope,
  ConsensusType,
  SignaturePolicyEnvelope,
  headerTypes,
  validationCodes,
} from '#formats';
import type { Block } from '#formats';
import { createValidator, parsePolicyText, validateTransaction } from '#policy';
import { configOf, editedConfig, groupAt } from './test-channel.ts';
import { transactionOf, write } from './test-transaction.ts';
import {
  codeOf,
  config,
  creator,
  good,
  lookups,
  mirrored,
  spec,
  twoOfThree,
} from './test-validation.ts';

const blockOf = (...data: Uint8Array[]): Block => ({
  header: undefined,
  data: { data },
  metadata: undefined,
});

/** An envelope of type CONFIG, well signed. */
const configTransaction = (data: Uint8Array) =>
  transactionOf({ ...good, channelHeader: { type: headerTypes.config }, data: () => data });

t.test('P1 a configuration that no update leads to is no transaction', async (t) => {
  const later = { ...config.config, sequence: config.sequence + 1n };
  const envelope = configTransaction(ConfigEnvelope.encode({ config: later }));
  const unfounded = { code: 'POLICY_CONFIG_UNFOUNDED' };
  t.throws(() => validateTransaction(config, envelope, lookups), unfounded);
});

t.test('P6 a signature with high s is none', async (t) => {
  const envelope = ({ signature }: { signature: Uint8Array }) => ({
    signature: mirrored(signature),
  });
  t.equal(codeOf({ envelope }), 'BAD_CREATOR_SIGNATURE');
});

t.test('P9 a channel that another consensus orders is none of ours', async (t) => {
  const invalid = { code: 'POLICY_CONFIG_INVALID' };
  for (const type of ['solo', 'countersign', '']) {
    const make = () =>
      configOf(spec, (channel) => {
        const value = groupAt(channel, 'Orderer').values.get('ConsensusType')!;
        value.value = ConsensusType.encode({ ...ConsensusType.decode(value.value), type });
      });
    t.throws(make, invalid, `"${type}"`);
  }
});

t.test('P24 a capability that a 2.5 peer stops at makes no channel', async (t) => {
  const value = Capabilities.encode({ capabilities: new Map([['V3_0', {}]]) });
  const make = () =>
    configOf(spec, (channel) => (channel.values.get('Capabilities')!.value = value));
  t.throws(make, { code: 'POLICY_CONFIG_INVALID' });
  t.ok(editedConfig(spec, () => undefined).channelGroup, 'as it is, it makes one');
});

t.test('P27 a key whose policy a block sets takes no write behind it in that block', async (t) => {
  const value = SignaturePolicyEnvelope.encode(parsePolicyText(twoOfThree));
  const entries = [{ name: 'VALIDATION_PARAMETER', value }];
  const of = (nonce: number, set: object) =>
    transactionOf({
      ...good,
      signatureHeader: { nonce: new Uint8Array(24).fill(nonce) },
      namespaces: [{ namespace: 'notary', ...set }],
    });
  const setting = of(1, { metadataWrites: [{ key: 'k', entries }] });
  const writing = of(2, { writes: [write('k')] });
  const elsewhere = of(3, { writes: [write('other')] });
  const codes = (...envelopes: Uint8Array[]) =>
    createValidator()(blockOf(...envelopes), config, lookups).map(({ code }) => code);
  const { VALID, ENDORSEMENT_POLICY_FAILURE } = validationCodes;
  t.strictSame(codes(setting, writing, elsewhere), [VALID, ENDORSEMENT_POLICY_FAILURE, VALID]);
  t.strictSame(codes(writing, setting), [VALID, VALID], 'in front of it, it does');
});

t.test('a creator without a channel is looked up nowhere', async (t) => {
  // A stock peer asks its own organisation's provider, so that peers of two would disagree.
  t.equal(codeOf({ channelHeader: { channelId: '' }, creator }), 'BAD_CREATOR_SIGNATURE');
});
