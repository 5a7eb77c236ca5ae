export * from './block.ts';
export * from './block-delivery.ts';
export * from './bundle.ts';
export * from './bundle-reader.ts';
export { buildConfigPayload, checkConfigContent } from './config-transaction.ts';
export type { ConfigPayloadSpec } from './config-transaction.ts';
export * from './fabric-commit.ts';
export * from './fabric-common.ts';
export * from './fabric-config.ts';
export * from './fabric-events.ts';
export * from './fabric-gateway.ts';
export * from './fabric-lifecycle.ts';
export * from './fabric-lifecycle-calls.ts';
export * from './fabric-orderer.ts';
export * from './fabric-peer.ts';
export * from './fabric-policies.ts';
export * from './fabric-queries.ts';
export * from './fabric-rwset.ts';
export { filteredBlockOf } from './filtered-block.ts';
export { toldTransaction } from './told-transaction.ts';
export type { ToldTransaction } from './told-transaction.ts';
export * from './guard-marks.ts';
export * from './key-rotation.ts';
export { checkRotationWrites, isAboutRotation } from './key-rotation-check.ts';
export { LedgerKeys } from './ledger-keys.ts';
export * from './lifecycle.ts';
export * from './lifecycle-approvals.ts';
export { isPackageOf, parseContractPackage } from './lifecycle-package.ts';
export type { ContractPackage } from './lifecycle-package.ts';
export {
  parseLifecycleOperation,
  parseRotateOperation,
  rotateFunction,
} from './lifecycle-request.ts';
export type { LifecycleOperation } from './lifecycle-request.ts';
export { checkApprovalWrites, isAboutApprovals, namesOnly } from './lifecycle-approvals-check.ts';
export {
  checkLifecycleWrites,
  isContractName,
  isContractVersion,
  systemContracts,
} from './lifecycle-check.ts';
export { message } from './protobuf.ts';
export type { Message, MessageOf } from './protobuf.ts';
export { encodeReceipt, receiptFormat, receiptJson, receiptText } from './receipt.ts';
export type { Receipt } from './receipt.ts';
export { checkReceipt } from './receipt-check.ts';
export type { BlockSignature, ReceiptFacts } from './receipt-check.ts';
export { parseReceipt } from './receipt-parser.ts';
export { assembleJws, encodeRequest, parseRequest } from './request.ts';
export type { ParsedRequest, RequestSigner } from './request.ts';
export { requestType } from './request-header.ts';
export type { RequestHeader } from './request-header.ts';
export type { Operation, RequestPayload } from './request-payload.ts';
export { compareKeys, encodeRwSet, parseRwSet } from './rwset.ts';
export * from './transaction.ts';
export { hasUnknownFields } from './unknown-fields.ts';
export type * from './verdict.ts';
export * from './zone-endorser.ts';
export * from './zone-proposals.ts';
export * from './signer-client.ts';
export * from './zone-signer.ts';
export { parseStrictJson } from './strict-json.ts';
