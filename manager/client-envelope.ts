import { Fault, equalBytes } from '#base';
import {
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeHeaderExtension,
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ChannelHeader,
  Envelope,
  KvRwSet,
  Payload,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  TxReadWriteSet,
  headerTypes,
  isBundleCall,
  lifecycleNamespace,
  proposalHash,
  transactionId,
} from '#formats';
import type { ChaincodeEndorsedAction, Header } from '#formats';
import { checkEnvelopeSize } from '#policy';
import type { ChannelConfig } from '#policy';
import { fault } from './faults.ts';

const writersPath = '/Channel/Writers';

export interface EnvelopeContext {
  config: ChannelConfig;
  nowMs: number;
  /** Whether the identity is that of a node of the zone. */
  isNode: (serialized: Uint8Array) => boolean;
}

/**
 * Reads a client's envelope before it is ordered, and refuses what no orderer of Fabric would take
 * and what would stop a peer. Whether the endorsements suffice and the reads are fresh is left to
 * validation, as in Fabric.
 *
 * @param bytes common.Envelope with an endorser transaction.
 * @returns its transaction id.
 * @throws MANAGER_ENVELOPE_MALFORMED a layer is missing, unknown or not canonical: peers of two
 *   versions might read it differently; MANAGER_ENVELOPE_HARMFUL, MANAGER_ENVELOPE_INVALID,
 *   MANAGER_ENVELOPE_FORGED, MANAGER_CHANNEL_UNKNOWN, POLICY_ENVELOPE_TOO_LARGE.
 */
export function readClientEnvelope(bytes: Uint8Array, context: EnvelopeContext): string {
  const { envelope, header, data } = canonically(() => readLayers(bytes));
  const channelHeader = canonically(() => ChannelHeader.decodeCanonical(header.channelHeader));
  const { channelId } = channelHeader;
  if (channelId !== context.config.channelId) {
    throw fault('MANAGER_CHANNEL_UNKNOWN', { channel: channelId });
  }
  checkEnvelopeSize(context.config, envelope);
  const { creator, nonce } = canonically(() =>
    SignatureHeader.decodeCanonical(header.signatureHeader),
  );
  const { type, epoch, txId } = channelHeader;
  if (type !== headerTypes.endorserTransaction) throw invalid('header type');
  if (epoch !== 0n) throw invalid('epoch');
  if (nonce.length === 0 || txId !== transactionId(nonce, creator)) throw invalid('transaction id');
  const action = canonically(() => readAction(header, data));
  canonically(() => ChaincodeHeaderExtension.decodeCanonical(channelHeader.extension));
  checkEndorsers(action, context);
  checkCreator(creator, envelope, context);
  return txId;
}

/**
 * What a transaction holds that will not be valid, and that nobody in the zone has looked into: peers
 * read it all the same, and must come to one verdict.
 *
 * @throws MANAGER_ENVELOPE_MALFORMED, MANAGER_ENVELOPE_HARMFUL
 */
export function checkUnendorsedContent(bytes: Uint8Array): void {
  canonically(() => {
    const { header, data } = readLayers(bytes);
    const { extension } = ChannelHeader.decodeCanonical(header.channelHeader);
    const contract = ChaincodeHeaderExtension.decodeCanonical(extension).chaincodeId?.name ?? '';
    const { proposalResponsePayload } = readAction(header, data);
    const response = ProposalResponsePayload.decodeCanonical(proposalResponsePayload);
    const { results } = ChaincodeAction.decodeCanonical(response.extension);
    const { nsRwset } = TxReadWriteSet.decodeCanonical(results);
    for (const one of nsRwset) {
      KvRwSet.decodeCanonical(one.rwset);
      // With several namespaces stock peers disagree about which failure is the transaction's.
      const isHarmful =
        nsRwset.length > 1 || one.namespace !== contract || one.collectionHashedRwset.length > 0;
      if (isHarmful || contract === lifecycleNamespace) {
        throw fault('MANAGER_ENVELOPE_HARMFUL', { namespace: one.namespace });
      }
    }
  });
}

interface Layers {
  envelope: Envelope;
  header: Header;
  data: Uint8Array;
}

function readLayers(bytes: Uint8Array): Layers {
  const envelope = Envelope.decodeCanonical(bytes);
  const { header, data } = Payload.decodeCanonical(envelope.payload);
  if (header === undefined) throw malformed('header');
  if (envelope.signature.length === 0) throw malformed('signature');
  return { envelope, header, data };
}

/** Every layer that a peer dereferences must be there. */
function readAction(header: Header, data: Uint8Array): ChaincodeEndorsedAction {
  const [first, ...others] = Transaction.decodeCanonical(data).actions;
  if (first === undefined || others.length > 0) throw malformed('actions');
  if (!equalBytes(first.header, header.signatureHeader)) throw malformed('header of the action');
  const { action, chaincodeProposalPayload } = ChaincodeActionPayload.decodeCanonical(
    first.payload,
  );
  if (action === undefined) throw malformed('endorsed action');
  const { input, transientMap } =
    ChaincodeProposalPayload.decodeCanonical(chaincodeProposalPayload);
  if (input.length === 0 || transientMap.length > 0) throw malformed('proposal payload');
  const { chaincodeSpec } = ChaincodeInvocationSpec.decode(input);
  // What calls itself a bundle is read as one for ever after, valid or not; only the zone makes them.
  if (isBundleCall(chaincodeSpec?.input?.args ?? [])) {
    throw fault('MANAGER_ENVELOPE_FORGED', { what: 'bundle' });
  }
  const response = ProposalResponsePayload.decodeCanonical(action.proposalResponsePayload);
  if (response.extension.length === 0) throw malformed('proposal response');
  const { channelHeader } = header;
  const expected = proposalHash(channelHeader, first.header, chaincodeProposalPayload);
  if (!equalBytes(expected, response.proposalHash)) throw invalid('proposal hash');
  return action;
}

/**
 * A key that lies outside of the zone has endorsed what no signer host has looked into; also where
 * the contract's policy would take it.
 */
function checkEndorsers({ endorsements }: ChaincodeEndorsedAction, context: EnvelopeContext): void {
  if (endorsements.length === 0) throw invalid('endorsements');
  const foreign = endorsements.find(({ endorser }) => !context.isNode(endorser));
  if (foreign !== undefined) throw fault('MANAGER_ENVELOPE_HARMFUL', { what: 'endorser' });
}

/** As an ordering node checks it; validation finds the signature remembered as right. */
function checkCreator(
  creator: Uint8Array,
  { payload, signature }: Envelope,
  { config, nowMs }: EnvelopeContext,
): void {
  const signed = [{ identity: creator, data: payload, signature }];
  if (!config.evaluate(writersPath, signed)) throw fault('MANAGER_ENVELOPE_FORGED');
  const { certificate } = config.identity(creator);
  if (certificate.notAfter.getTime() < nowMs) {
    throw fault('MANAGER_ENVELOPE_FORGED', { what: 'expired' });
  }
}

function canonically<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Fault) || !cause.code.startsWith('FORMATS_')) throw cause;
    throw fault('MANAGER_ENVELOPE_MALFORMED', { ...cause.detail }, cause);
  }
}

function malformed(what: string): Fault {
  return fault('MANAGER_ENVELOPE_MALFORMED', { what });
}

function invalid(what: string): Fault {
  return fault('MANAGER_ENVELOPE_INVALID', { what });
}
