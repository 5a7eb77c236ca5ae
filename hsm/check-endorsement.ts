import {
  ChaincodeAction,
  ChaincodeEvent,
  KvRwSet,
  ProposalResponsePayload,
  TxReadWriteSet,
  isPlainRwSet,
  lifecycleNamespace,
} from '#formats';
import type { NsReadWriteSet } from '#formats';
import { checkDefinition } from './check-definition.ts';
import { fault } from './faults.ts';

/**
 * Whether a node's key may endorse this: everything in it is known and canonical, it approves its
 * proposal, and its writes cannot stop a peer.
 *
 * @param payload protos.ProposalResponsePayload.
 * @param mspid the organisation of the key.
 * @throws HSM_RESPONSE_DENIED, HSM_NAMESPACE_DENIED, HSM_DEFINITION_INVALID, HSM_CALL_MALFORMED,
 *   FORMATS_PROTOBUF_INVALID, FORMATS_PROTOBUF_NOT_CANONICAL
 */
export function checkEndorsement(payload: Uint8Array, mspid: string): void {
  const { proposalHash, extension } = ProposalResponsePayload.decodeCanonical(payload);
  if (proposalHash.length !== 32) throw malformed('proposal hash');
  const action = ChaincodeAction.decodeCanonical(extension);
  const status = action.response?.status ?? 0;
  // No stock peer looks at the status when it commits: an endorsed failure would be a success.
  if (status < 200 || status >= 400) throw fault('HSM_RESPONSE_DENIED', { status });
  const contract = action.chaincodeId?.name ?? '';
  if (contract === '' || action.chaincodeId?.version === '') throw malformed('contract');
  if (action.events.length > 0) {
    const event = ChaincodeEvent.decodeCanonical(action.events);
    if (event.chaincodeId !== contract) throw malformed('event of another contract');
  }
  const { dataModel, nsRwset } = TxReadWriteSet.decodeCanonical(action.results);
  if (dataModel !== 0) throw malformed('data model');
  const namespaces = new Set<string>();
  for (const one of nsRwset) {
    if (namespaces.has(one.namespace)) throw malformed('a namespace twice');
    namespaces.add(one.namespace);
    checkNamespace(one, contract, mspid);
  }
}

function checkNamespace(one: NsReadWriteSet, contract: string, mspid: string): void {
  const { namespace } = one;
  const isPlain = namespace !== lifecycleNamespace && isPlainRwSet(one.rwset);
  const rwset = isPlain ? undefined : KvRwSet.decodeCanonical(one.rwset);
  const denied =
    namespace === '' ||
    namespace === 'lscc' ||
    // Peers would ask each other for private data that nobody has.
    one.collectionHashedRwset.length > 0 ||
    (namespace === lifecycleNamespace) !== (contract === lifecycleNamespace);
  if (denied) throw fault('HSM_NAMESPACE_DENIED', { namespace, contract });
  if (rwset === undefined) return;
  if (namespace === lifecycleNamespace) checkDefinition(rwset, mspid);
  // No contract can ask for it, and a policy that cannot be read stops a peer at the key's next write.
  else if (rwset.metadataWrites.length > 0) throw malformed('metadata of a key');
}

function malformed(reason: string) {
  return fault('HSM_CALL_MALFORMED', { reason });
}
