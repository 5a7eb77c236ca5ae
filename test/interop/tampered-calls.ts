/** Calls of Fabric's Node SDK whose messages are changed on their way, as no honest application would. */
import { createHash, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InterceptingCall, status } from '@grpc/grpc-js';
import type { CallOptions, Interceptor } from '@grpc/grpc-js';
import { signers } from '@hyperledger/fabric-gateway';
import type { Signer } from '@hyperledger/fabric-gateway';
import type { gateway } from '@hyperledger/fabric-protos';
import {
  ChaincodeActionPayload,
  ChaincodeProposalPayload,
  ChannelHeader,
  Header,
  Payload,
  Proposal,
  ProposalResponsePayload,
  SignatureHeader,
  Transaction,
} from '#formats';
import type { Message } from '#formats';
import type { ClientProfile } from './client-profile.ts';

/** What becomes of some bytes. */
export type Change = (bytes: Uint8Array) => Uint8Array;

/** A field of type bytes whose length goes beyond the message. */
export const garbage: Change = () => Uint8Array.of(0x0a, 0x7f, 0x01);
export const nothing: Change = () => new Uint8Array(0);

export function signerOf({ keyFile }: ClientProfile): Signer {
  return signers.newPrivateKeySigner(createPrivateKey(readFileSync(keyFile)));
}

/** Sends other bytes in place of the whole request. */
export function instead(bytes: Uint8Array): CallOptions {
  return sending(async () => ({ serializeBinary: () => bytes }));
}

/** Changes what an Evaluate or Endorse proposes, and signs it anew. */
export function proposing(signer: Signer, change: Change): CallOptions {
  return sending(async (request: gateway.EndorseRequest) => {
    const signed = request.getProposedTransaction();
    const bytes = change(signed?.getProposalBytes_asU8() ?? new Uint8Array(0));
    signed?.setProposalBytes(bytes);
    signed?.setSignature(await signer(digest(bytes)));
    return request;
  });
}

/** Changes what a Submit has ordered, and signs it anew. */
export function submitting(signer: Signer, change: Change): CallOptions {
  return sending(async (request: gateway.SubmitRequest) => {
    const envelope = request.getPreparedTransaction();
    const bytes = change(envelope?.getPayload_asU8() ?? new Uint8Array(0));
    envelope?.setPayload(bytes);
    envelope?.setSignature(await signer(digest(bytes)));
    return request;
  });
}

/** Changes a request in any way. */
export function sending(change: (request: never) => Promise<unknown>): CallOptions {
  const interceptor: Interceptor = (options, next) =>
    new InterceptingCall(next(options), {
      sendMessage: (message: unknown, forward) => void change(message as never).then(forward),
    });
  return { interceptors: [interceptor] };
}

/** Leaves a call while it is under way. */
export function leavingAfter(waitMs: number): CallOptions {
  const interceptor: Interceptor = (options, next) => {
    const call = new InterceptingCall(next(options));
    setTimeout(() => call.cancelWithStatus(status.CANCELLED, 'left'), waitMs);
    return call;
  };
  return { interceptors: [interceptor] };
}

/** Changes one field of a message, whose other fields stay. */
export function inField<Value, Field extends keyof Value>(
  message: Message<Value>,
  field: Field,
  change: (value: Exclude<Value[Field], undefined>) => unknown,
): Change {
  return (bytes) => {
    const value = message.decode(bytes);
    return message.encode({
      ...value,
      [field]: change(value[field] as Exclude<Value[Field], undefined>),
    });
  };
}

const inHeader = (field: keyof Header, change: Change) =>
  inField(Proposal, 'header', inField(Header, field, change));

/** Each layer of a proposal, and how to change it. */
export const proposalLayers: Readonly<Record<string, (change: Change) => Change>> = {
  proposal: (change) => change,
  header: (change) => inField(Proposal, 'header', change),
  'channel header': (change) => inHeader('channelHeader', change),
  'header extension': (change) =>
    inHeader('channelHeader', inField(ChannelHeader, 'extension', change)),
  'signature header': (change) => inHeader('signatureHeader', change),
  creator: (change) => inHeader('signatureHeader', inField(SignatureHeader, 'creator', change)),
  'proposal payload': (change) => inField(Proposal, 'payload', change),
  invocation: (change) =>
    inField(Proposal, 'payload', inField(ChaincodeProposalPayload, 'input', change)),
};

const inAction = (change: Change) =>
  inField(
    Payload,
    'data',
    inField(Transaction, 'actions', (actions) =>
      actions.map((action) => ({ ...action, payload: change(action.payload) })),
    ),
  );

const inResponse = (change: Change) =>
  inAction(
    inField(ChaincodeActionPayload, 'action', (action) => ({
      ...action,
      proposalResponsePayload: change(action.proposalResponsePayload),
    })),
  );

/** Each layer of a transaction that is submitted, and how to change it. */
export const transactionLayers: Readonly<Record<string, (change: Change) => Change>> = {
  payload: (change) => change,
  'channel header': (change) => inPayloadHeader('channelHeader', change),
  'signature header': (change) => inPayloadHeader('signatureHeader', change),
  creator: (change) =>
    inPayloadHeader('signatureHeader', inField(SignatureHeader, 'creator', change)),
  transaction: (change) => inField(Payload, 'data', change),
  action: inAction,
  'proposal payload': (change) =>
    inAction(inField(ChaincodeActionPayload, 'chaincodeProposalPayload', change)),
  'proposal response': inResponse,
  'chaincode action': (change) => inResponse(inField(ProposalResponsePayload, 'extension', change)),
};

function inPayloadHeader(field: keyof Header, change: Change): Change {
  return inField(Payload, 'header', (header) => ({ ...header, [field]: change(header[field]) }));
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
