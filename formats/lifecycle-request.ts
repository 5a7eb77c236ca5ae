import { emptyBytes, fromBase64, fromHex, limits } from '#base';
import { sha256 } from '#crypto';
import { fault } from './faults.ts';
import type { Operation } from './request-payload.ts';

/** What an administrator asks of `_lifecycle` in a signed request. */
export interface LifecycleOperation {
  kind: 'approve' | 'commit';
  name: string;
  version: string;
  sequence: bigint;
  /** Fabric's policy text, or `reference:` and the path of a channel policy. */
  policyText: string;
  /** SHA-256 of the contract's code, 32 bytes. */
  codeHash: Uint8Array;
  /** What a commit brings; empty in an approval, and when the ledger has the code already. */
  code: Uint8Array;
}

/**
 * Reads `approve` and `commit`: name, version, sequence, policy, and the code's hash in hex for an
 * approval, the code itself in base64 for a commit.
 *
 * @throws FORMATS_DEFINITION_INVALID naming the argument.
 */
export function parseLifecycleOperation({ function: kind, args }: Operation): LifecycleOperation {
  const invalid = (key: string) => fault('FORMATS_DEFINITION_INVALID', { reason: 'argument', key });
  if (kind !== 'approve' && kind !== 'commit') throw invalid('function');
  const [name = '', version = '', sequence = '', policyText = '', content, ...rest] = args;
  if (content === undefined || rest.length > 0) throw invalid('number of arguments');
  if (!/^[1-9][0-9]{0,9}$/.test(sequence)) throw invalid('sequence');
  const definition = { kind, name, version, sequence: BigInt(sequence), policyText } as const;
  if (kind === 'approve') {
    const codeHash = fromHex(content);
    if (codeHash?.length !== 32) throw invalid('hash of the code');
    return { ...definition, codeHash, code: emptyBytes };
  }
  const code = fromBase64(content);
  if (code === undefined || code.length > limits.contractCodeBytesMax) throw invalid('code');
  return { ...definition, codeHash: sha256(code), code };
}

/** The function of `_lifecycle` by which an administrator brings the record of a key's rotation. */
export const rotateFunction = 'rotate';

/**
 * Reads `rotate`: one argument, a countersign.KeyRotation in base64.
 *
 * @returns undefined for another function.
 * @throws FORMATS_DEFINITION_INVALID
 */
export function parseRotateOperation({ function: name, args }: Operation): Uint8Array | undefined {
  if (name !== rotateFunction) return undefined;
  const [text = '', ...rest] = args;
  const record = fromBase64(text);
  if (record === undefined || record.length === 0 || rest.length > 0) {
    throw fault('FORMATS_DEFINITION_INVALID', { reason: 'argument', key: 'rotation' });
  }
  return record;
}
