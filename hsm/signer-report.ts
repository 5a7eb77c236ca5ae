import { SignerReport } from '#formats';
import type { ReportedCount, SignerKeyReport } from '#formats';
import type { ServedKey } from './served-keys.ts';
import { latencyBucketsUs } from './signer-meter.ts';
import type { SignerParts } from './signer-methods.ts';

/** @returns countersign.SignerReport bytes. */
export function signerReport(
  { keys, ring, tokens, signer, guard, signatureLog, tokenLabel }: SignerParts,
  faultCodeOf: (key: ServedKey) => string,
): Uint8Array {
  const seats = [...tokens.dispatch.seats];
  const { canaryMs } = signer;
  return SignerReport.encode({
    tokenLabel,
    breaker: tokens.breaker,
    faultCode: tokens.downReason?.code ?? '',
    guardFaultCode: guard.failure?.code ?? '',
    logFaultCode: signatureLog.failure?.code ?? '',
    keys: [...keys.values()].map((key) => keyReport(key, { ring, tokens }, faultCodeOf(key))),
    gauges: counts({
      processes: tokens.processes.size,
      sessions: seats.length,
      sessionsInUse: seats.filter(({ load }) => load > 0).length,
      signaturesWaiting: tokens.dispatch.waiting,
      keysUndestroyed: ring.undestroyedCount,
      signaturesUnsignedMs: signatureLog.unsignedMs,
      canaryAgeMs: canaryMs === 0 ? 0 : performance.now() - canaryMs,
    }),
    counters: counts(tokens.meter.counts),
  });
}

function keyReport(
  key: ServedKey,
  { ring, tokens }: Pick<SignerParts, 'ring' | 'tokens'>,
  faultCode: string,
): SignerKeyReport {
  const { label, role, mspid, certified } = key;
  const { buckets, count, totalUs } = tokens.meter.latencyOf(label);
  const endMs = certified?.notAfter.getTime() ?? 0;
  return {
    label,
    role,
    mspid,
    faultCode,
    certificateEnd: BigInt(Math.floor(endMs / 1000)),
    latencyBuckets: buckets.map((value, index) => ({
      name: String(latencyBucketsUs[index] ?? '+Inf'),
      value: BigInt(value),
    })),
    signatures: BigInt(count),
    totalUs: BigInt(Math.round(totalUs)),
    version: key.version,
    isImported: key.origin === 'imported',
    lifeSignatures: BigInt(ring.signaturesOf(label)),
  };
}

function counts(values: Readonly<Record<string, number>>): ReportedCount[] {
  return Object.entries(values).map(([name, value]) => ({
    name,
    value: BigInt(Math.round(value)),
  }));
}
