import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBase64, utf8 } from '#base';
import { certificatePem } from '#crypto';
import { encodeReceipt, lifecycleNamespace, rotateFunction } from '#formats';
import type { SignerConfig } from '#hsm';
import { makeReceipt, ordererCertificate } from '../formats/receipt-sample.ts';
import { goodPayload } from '../formats/request-sample.ts';

/** A ledger that is nothing but receipts, for the hosts of tests. @param dir of the test's own. */
export function ledgerOfReceipts(dir: string): NonNullable<SignerConfig['ledger']> {
  const caFile = join(dir, 'orderer.pem');
  writeFileSync(caFile, certificatePem(ordererCertificate));
  return { channel: goodPayload.channel, mspid: 'ZoneMSP', caFile };
}

/** Says that the record of a rotation is on that ledger. */
export function rotationReceipt(
  record: Uint8Array,
  change: Parameters<typeof makeReceipt>[0] = {},
): Uint8Array {
  const operations = [{ function: rotateFunction, args: [toBase64(record)] }];
  const payload = { contract: lifecycleNamespace, operations, ...change.payload };
  return utf8(encodeReceipt(makeReceipt({ ...change, payload })));
}
