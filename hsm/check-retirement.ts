import { readFileSync } from 'node:fs';
import { Fault, equalBytes, latin1Of } from '#base';
import { parsePem } from '#crypto';
import {
  SerializedIdentity,
  checkReceipt,
  lifecycleNamespace,
  parseReceipt,
  parseRotateOperation,
} from '#formats';
import type { BlockSignature, ReceiptFacts } from '#formats';
import { checkIssuer, checkUnit } from './certificate-checks.ts';
import type { SignerConfig } from './config.ts';
import { fault } from './faults.ts';

/**
 * Checks that a rotation's record is on the ledger, before the key is destroyed that signs for as long as
 * it is not: by a receipt, under a block signature of the ordering service.
 *
 * @param file the receipt of a request that put the record there, or found it there.
 * @param record countersign.KeyRotation bytes.
 * @param ledger whose signature counts; absent: nobody's, so nothing is destroyed.
 * @throws HSM_RETIREMENT_UNPROVED
 */
export function checkRetirement(
  file: Uint8Array,
  record: Uint8Array,
  ledger: SignerConfig['ledger'],
): void {
  const unproved = (reason: string, cause?: unknown) =>
    fault('HSM_RETIREMENT_UNPROVED', { reason }, cause);
  if (ledger === undefined) throw unproved('no ledger is configured');
  let facts: ReceiptFacts;
  let isRecord: boolean;
  try {
    facts = checkReceipt(parseReceipt(file));
    isRecord = bringsRecord(facts, record);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw unproved(cause.code, cause);
  }
  if (facts.channel !== ledger.channel) throw unproved('channel');
  if (facts.outcome !== 'executed') throw unproved(facts.outcome);
  if (!isRecord) throw unproved('another request');
  const authorities = readFileSync(ledger.caFile, 'utf8');
  const isOrdered = facts.signatures.some(
    (one) => one.mspid === ledger.mspid && isOrderer(one, authorities),
  );
  if (!isOrdered) throw unproved('signer');
}

function bringsRecord({ request }: ReceiptFacts, record: Uint8Array): boolean {
  const { contract, operations } = request.payload;
  if (contract !== lifecycleNamespace) return false;
  return operations.some((operation) => {
    const brought = parseRotateOperation(operation);
    return brought !== undefined && equalBytes(brought, record);
  });
}

function isOrderer({ identity }: BlockSignature, authorities: string): boolean {
  try {
    const certificate = parsePem(latin1Of(SerializedIdentity.decode(identity).idBytes));
    checkUnit('', 'ordering', certificate);
    checkIssuer('', certificate, authorities);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}
