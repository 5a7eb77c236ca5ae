import { concatBytes, emptyBytes, toHex, utf8 } from '#base';
import { sha256 } from '#crypto';
import {
  ApplicationPolicy,
  ChaincodeAction,
  ChaincodeActionPayload,
  ChaincodeEvent,
  ChaincodeHeaderExtension,
  ChannelHeader,
  Envelope,
  Payload,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
  encodeRwSet,
  headerTypes,
} from '#formats';
import type { Endorsement, NamespaceRwSet } from '#formats';
import { parsePolicyText } from '#policy';
import type { TransactionLookups } from '#policy';
import type { TestIdentity } from './test-ca.ts';
import { channelId } from './test-channel.ts';

/** Who signs as what. */
export interface Signer {
  readonly mspid: string;
  readonly identity: TestIdentity;
}

/** The parts of a good transaction; each may be replaced, and what is made of it follows. */
export interface TransactionParts {
  creator: Signer;
  endorsers: readonly Signer[];
  channelHeader?: Partial<ChannelHeader>;
  signatureHeader?: Partial<SignatureHeader>;
  contract?: string;
  /** In place of bytes that nobody reads. */
  proposalPayload?: Uint8Array;
  namespaces?: readonly Partial<NamespaceRwSet>[];
  chaincodeAction?: Partial<ChaincodeAction>;
  proposalResponsePayload?: Partial<ProposalResponsePayload>;
  /** Replaces what the transaction says its endorsements are. */
  endorsements?: (made: Endorsement[]) => Endorsement[];
  actionPayload?: Partial<ChaincodeActionPayload>;
  /** Replaces the payload's data. */
  data?: (made: Transaction) => Uint8Array;
  payload?: (made: Payload) => Uint8Array;
  envelope?: (made: Envelope) => Partial<Envelope>;
}

const contractOf = (parts: TransactionParts): string => parts.contract ?? 'notary';
const nonceOfTests = new Uint8Array(24).fill(1);

/** The bytes of an envelope made of the parts. */
export function transactionOf(parts: TransactionParts): Uint8Array {
  const { channelHeader, signatureHeader } = headersOf(parts);
  const { proposalPayload = utf8('what was proposed') } = parts;
  const hash = sha256(channelHeader, signatureHeader, proposalPayload);
  const prp = ProposalResponsePayload.encode({
    proposalHash: hash,
    extension: ChaincodeAction.encode({ ...actionOf(parts), ...parts.chaincodeAction }),
    ...parts.proposalResponsePayload,
  });
  const made = parts.endorsers.map(({ mspid, identity }): Endorsement => {
    const endorser = identity.serialized(mspid);
    return { endorser, signature: identity.sign(concatBytes(prp, endorser)) };
  });
  const actionPayload = ChaincodeActionPayload.encode({
    chaincodeProposalPayload: proposalPayload,
    action: { proposalResponsePayload: prp, endorsements: parts.endorsements?.(made) ?? made },
    ...parts.actionPayload,
  });
  const transaction = { actions: [{ header: signatureHeader, payload: actionPayload }] };
  const payloadParts = {
    header: { channelHeader, signatureHeader },
    data: parts.data?.(transaction) ?? Transaction.encode(transaction),
  };
  const payload = parts.payload?.(payloadParts) ?? Payload.encode(payloadParts);
  const envelope = { payload, signature: parts.creator.identity.sign(payload) };
  return Envelope.encode({ ...envelope, ...parts.envelope?.(envelope) });
}

/** The id of a good transaction of this creator. */
export function txIdOf(creator: Signer, nonce = nonceOfTests): string {
  return toHex(sha256(nonce, creator.identity.serialized(creator.mspid)));
}

function headersOf(parts: TransactionParts) {
  const { creator } = parts;
  const signatureParts = {
    creator: creator.identity.serialized(creator.mspid),
    nonce: nonceOfTests,
    ...parts.signatureHeader,
  };
  const channelHeader = ChannelHeader.encode({
    type: headerTypes.endorserTransaction,
    channelId,
    txId: toHex(sha256(signatureParts.nonce, signatureParts.creator)),
    extension: ChaincodeHeaderExtension.encode({
      chaincodeId: { path: '', name: contractOf(parts), version: '' },
    }),
    ...parts.channelHeader,
  });
  return { channelHeader, signatureHeader: SignatureHeader.encode(signatureParts) };
}

function actionOf(parts: TransactionParts): Partial<ChaincodeAction> {
  const name = contractOf(parts);
  return {
    results: rwsetOf(parts.namespaces ?? [{ namespace: name, writes: [write('key')] }]),
    events: ChaincodeEvent.encode({ chaincodeId: name, eventName: 'made' }),
    response: { status: 200, message: '', payload: emptyBytes },
    chaincodeId: { path: '', name, version: '1.0' },
  };
}

export function rwsetOf(namespaces: readonly Partial<NamespaceRwSet>[]): Uint8Array {
  const empty = { namespace: '', reads: [], rangeQueries: [], writes: [], metadataWrites: [] };
  return encodeRwSet({ namespaces: namespaces.map((one) => ({ ...empty, ...one })) });
}

export const write = (key: string) => ({ key, isDelete: false, value: utf8('value') });

export const textPolicy = (text: string) =>
  ApplicationPolicy.encode({ signaturePolicy: parsePolicyText(text) });

/** A ledger that has the contracts of the table, and nothing else unless told. */
export function lookupsOf(
  contracts: Readonly<Record<string, string>>,
  more: Partial<TransactionLookups> = {},
): TransactionLookups {
  return {
    definition: (namespace) => {
      const text = contracts[namespace];
      if (text === undefined) return undefined;
      return { applicationPolicy: textPolicy(text), plugin: 'vscc' };
    },
    hasTransaction: () => false,
    keyPolicy: () => undefined,
    ...more,
  };
}
