import { Fault, concatBytes, latin1Of, toBase64Url } from '#base';
import { parsePem, sha256, verifyFabric } from '#crypto';
import type { PublicKey } from '#crypto';
import { Block, SerializedIdentity, parseTransaction } from '#formats';
import { readStoredBlocks } from '#ledger';
import { blockSignatures } from '#policy';
import type { SignedData } from '#policy';
import { fault } from './faults.ts';

export interface LedgerAudit {
  readonly blocks: number;
  /** Signatures of the token's keys on the ledger, each of which is on record. */
  readonly signaturesOnLedger: number;
}

/**
 * Finds every signature of a token's keys on a ledger in the token's signature log: of blocks, of
 * envelopes and of endorsements.
 *
 * @param fromBlock earlier ones are older than what is kept of the log.
 * @param recorded SHA-256 of the contents on record, base64url.
 * @throws CLI_SIGNATURE_UNRECORDED, LEDGER_FILE_CORRUPT
 */
export function auditLedger(
  dir: string,
  keys: readonly PublicKey[],
  recorded: ReadonlySet<string>,
  fromBlock = 0n,
): LedgerAudit {
  let blocks = 0;
  let signaturesOnLedger = 0;
  const keyOf = keyFinder(keys);
  readStoredBlocks(dir, (bytes) => {
    const block = Block.decode(bytes);
    const number = block.header?.number ?? 0n;
    if (number < fromBlock) return;
    blocks += 1;
    for (const { identity, data, signature } of signaturesOf(block)) {
      const key = keyOf(identity);
      if (key === undefined) continue;
      if (recorded.has(toBase64Url(sha256(data)))) signaturesOnLedger += 1;
      // Anybody can write our name into a transaction; only a signature is ours.
      else if (verifyFabric(key, data, signature)) {
        throw fault('CLI_SIGNATURE_UNRECORDED', { block: number, key: key.fingerprint });
      }
    }
  });
  return { blocks, signaturesOnLedger };
}

function signaturesOf(block: Block): SignedData[] {
  const envelopes = block.data?.data ?? [];
  return [...(blockSignatures(block) ?? []), ...envelopes.flatMap(signaturesOfEnvelope)];
}

function signaturesOfEnvelope(bytes: Uint8Array): SignedData[] {
  try {
    const { envelope, signatureHeader, endorsed } = parseTransaction(bytes);
    const { payload: data, signature } = envelope;
    const response = endorsed?.proposalResponsePayload ?? new Uint8Array(0);
    const endorsements = endorsed?.endorsements ?? [];
    return [
      { identity: signatureHeader.creator, data, signature },
      ...endorsements.map((one) => ({
        identity: one.endorser,
        data: concatBytes(response, one.endorser),
        signature: one.signature,
      })),
    ];
  } catch (error) {
    // A client can have bytes put on the ledger that are no transaction, and that nobody signed.
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** Which of the keys an identity has; most identities of a ledger are a few. */
function keyFinder(keys: readonly PublicKey[]): (identity: Uint8Array) => PublicKey | undefined {
  const byFingerprint = new Map(keys.map((key) => [key.fingerprint, key]));
  const known = new Map<string, PublicKey | undefined>();
  return (identity) => {
    const name = latin1Of(identity);
    if (!known.has(name)) {
      const fingerprint = fingerprintOf(identity);
      known.set(name, fingerprint === undefined ? undefined : byFingerprint.get(fingerprint));
    }
    return known.get(name);
  };
}

function fingerprintOf(identity: Uint8Array): string | undefined {
  try {
    const { idBytes } = SerializedIdentity.decode(identity);
    return parsePem(latin1Of(idBytes)).publicKey.fingerprint;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
