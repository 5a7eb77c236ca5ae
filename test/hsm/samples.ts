/** Contents that a signer host signs, and the pieces to make bad ones of. */
import { utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ApplicationPolicy,
  ChaincodeAction,
  ConfigEnvelope,
  ConfigGroup,
  ConfigUpdate,
  ConfigUpdateEnvelope,
  KvRwSet,
  OrdererBlockMetadata,
  Payload,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
  buildProposal,
  definitionWrites,
  headerHash,
  headerTypes,
  lifecycleNamespace,
  ChannelHeader,
} from '#formats';
import type { ConfigSignature, Envelope, KvWrite, SignBlockCall } from '#formats';

export const nonce = new Uint8Array(24).fill(5);

export interface EndorsementParts {
  status?: number;
  contract?: string;
  namespace?: string;
  rwset?: Partial<KvRwSet>;
  action?: Partial<ChaincodeAction>;
}

/** protos.ProposalResponsePayload bytes of a contract that writes one key. */
export function endorsementPayload(parts: EndorsementParts = {}): Uint8Array {
  const { status = 200, contract = 'notary', namespace = contract } = parts;
  const writes = [{ key: 'a', isDelete: false, value: utf8('deed') }];
  const rwset = KvRwSet.encode(parts.rwset ?? { writes });
  const results = TxReadWriteSet.encode({
    nsRwset: [{ namespace, rwset, collectionHashedRwset: [] }],
  });
  const action = ChaincodeAction.encode({
    results,
    response: { status, message: '', payload: utf8('result') },
    chaincodeId: { path: '', name: contract, version: '1' },
    ...parts.action,
  });
  return ProposalResponsePayload.encode({ proposalHash: sha256(utf8('p')), extension: action });
}

export const contractCode = utf8('\0asm and so on');

export function notaryDefinition(): KvWrite[] {
  const policy = { channelConfigPolicyReference: '/Channel/Application/Endorsement' };
  const applicationPolicy = ApplicationPolicy.encode(policy);
  const definition = { name: 'notary', version: '1', sequence: 1n, applicationPolicy };
  return definitionWrites(definition, contractCode);
}

export function lifecyclePayload(writes: KvWrite[]): Uint8Array {
  return endorsementPayload({ contract: lifecycleNamespace, rwset: { writes } });
}

export interface EnvelopeChanges {
  channelHeader?: Partial<ChannelHeader>;
  signatureHeader?: Partial<SignatureHeader>;
  data?: Uint8Array;
}

/** common.Payload bytes of an endorser transaction in the creator's name. */
export function relayPayload(creator: Uint8Array, changes: EnvelopeChanges = {}): Uint8Array {
  const spec = { channel: 'ch', contract: 'notary', args: [utf8('f')], creator, nonce, timeMs: 1 };
  const proposal = buildProposal(spec);
  const channelHeader = ChannelHeader.decode(proposal.channelHeader);
  const signatureHeader = SignatureHeader.encode({ creator, nonce, ...changes.signatureHeader });
  const header = {
    channelHeader: ChannelHeader.encode({ ...channelHeader, ...changes.channelHeader }),
    signatureHeader,
  };
  const action = { header: signatureHeader, payload: utf8('endorsed action') };
  const data = changes.data ?? Transaction.encode({ actions: [action] });
  return Payload.encode({ header, data });
}

/** common.Payload bytes of a configuration in the creator's name. */
export function configPayload(creator: Uint8Array, changes: EnvelopeChanges = {}): Uint8Array {
  const channelHeader = { type: headerTypes.config, channelId: 'ch', ...changes.channelHeader };
  const header = {
    channelHeader: ChannelHeader.encode(channelHeader),
    signatureHeader: SignatureHeader.encode({ creator, nonce, ...changes.signatureHeader }),
  };
  return Payload.encode({ header, data: changes.data ?? ConfigEnvelope.encode(configEnvelope()) });
}

/** A configuration and the update that is said to lead to it. */
export function configEnvelope(): ConfigEnvelope {
  const channelGroup = { ...ConfigGroup.initial(), version: 1n, modPolicy: 'Admins' };
  return { config: { sequence: 1n, channelGroup }, lastUpdate: configUpdateEnvelope() };
}

export interface UpdateParts {
  header?: Partial<ChannelHeader>;
  update?: Partial<ConfigUpdate>;
  signatures?: ConfigSignature[];
}

export function configUpdateEnvelope(parts: UpdateParts = {}): Envelope {
  const writeSet = { ...ConfigGroup.initial(), version: 1n };
  const channelHeader = { type: headerTypes.configUpdate, channelId: 'ch', ...parts.header };
  const data = ConfigUpdateEnvelope.encode({
    configUpdate: ConfigUpdate.encode({ channelId: 'ch', writeSet, ...parts.update }),
    signatures: parts.signatures ?? [{ signatureHeader: utf8('who'), signature: utf8('signed') }],
  });
  const header = { channelHeader: ChannelHeader.encode(channelHeader), signatureHeader: utf8('h') };
  return { payload: Payload.encode({ header, data }), signature: utf8('signed') };
}

/** Block `number` of one of many possible chains: the variant tells their contents apart. */
export function blockCall(
  creator: Uint8Array,
  number: bigint,
  changes: Partial<SignBlockCall> & { variant?: string } = {},
): SignBlockCall {
  const { variant = 'a', ...replaced } = changes;
  return {
    keyLabel: 'ordering',
    channel: 'ch',
    number,
    previousHash: number === 0n ? new Uint8Array(0) : sha256(utf8('before')),
    dataHash: sha256(utf8(`${variant} ${number}`)),
    metadataValue: OrdererBlockMetadata.encode({ lastConfig: { index: 0n } }),
    signatureHeader: SignatureHeader.encode({ creator, nonce }),
    ...replaced,
  };
}

/** The block after another one. */
export function nextBlock(
  before: SignBlockCall,
  creator: Uint8Array,
  changes: Partial<SignBlockCall> & { variant?: string } = {},
): SignBlockCall {
  return blockCall(creator, before.number + 1n, { previousHash: headerHash(before), ...changes });
}
