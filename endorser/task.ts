import { equalBytes } from '#base';
import {
  ChaincodeHeaderExtension,
  ChaincodeInvocationSpec,
  ChaincodeProposalPayload,
  ChannelHeader,
  SignatureHeader,
  approvalKeysFunction,
  bundleFunction,
  headerTypes,
  lifecycleNamespace,
  transactionId,
} from '#formats';
import type { EndorseTask } from '#formats';
import { utf8 } from '#base';
import { fault } from './faults.ts';

/** A task whose layers were read and agree with each other. */
export interface ParsedTask {
  task: EndorseTask;
  channel: string;
  txId: string;
  contract: string;
  /** SerializedIdentity of the transaction's creator. */
  creator: Uint8Array;
  timeMs: bigint;
  /** The signed requests, compact JWS, in the bundle's order. */
  requests: readonly Uint8Array[];
}

/**
 * Reads a task strictly: the proposal is made inside the zone, so nothing in it may be unusual.
 *
 * @throws FORMATS_PROTOBUF_…, ENDORSER_TASK_INVALID naming what contradicts.
 */
export function parseTask(task: EndorseTask): ParsedTask {
  const channelHeader = ChannelHeader.decodeCanonical(task.channelHeader);
  const { creator, nonce } = SignatureHeader.decodeCanonical(task.signatureHeader);
  const { chaincodeId } = ChaincodeHeaderExtension.decodeCanonical(channelHeader.extension);
  const { input, transientMap } = ChaincodeProposalPayload.decodeCanonical(task.proposalPayload);
  const { chaincodeSpec } = ChaincodeInvocationSpec.decodeCanonical(input);
  const contract = chaincodeId?.name ?? '';
  const [first, ...requests] = chaincodeSpec?.input?.args ?? [];
  const { timestamp } = channelHeader;
  const check = (holds: boolean, what: string) => {
    if (!holds) throw fault('ENDORSER_TASK_INVALID', { what });
  };
  check(channelHeader.type === headerTypes.endorserTransaction, 'header type');
  check(channelHeader.epoch === 0n, 'epoch');
  check(channelHeader.txId === transactionId(nonce, creator), 'transaction id');
  check(contract !== '' && chaincodeSpec?.chaincodeId?.name === contract, 'contract name');
  check(transientMap.length === 0, 'transient map');
  const isHousekeeping = contract === lifecycleNamespace && requests.length === 0;
  const wanted = isHousekeeping ? approvalKeysFunction : bundleFunction;
  check(first !== undefined && equalBytes(first, utf8(wanted)), 'function');
  check(requests.length > 0 || isHousekeeping, 'number of requests');
  check(timestamp !== undefined, 'timestamp');
  return {
    task,
    channel: channelHeader.channelId,
    txId: channelHeader.txId,
    contract,
    creator,
    timeMs:
      (timestamp?.seconds ?? 0n) * 1000n + BigInt(Math.floor((timestamp?.nanos ?? 0) / 1_000_000)),
    requests,
  };
}
