import { Fault, emptyBytes, toHex } from '#base';
import {
  ApproveChaincodeDefinitionForMyOrgArgs,
  CommitChaincodeDefinitionArgs,
  approvalOf,
  lifecycleNamespace,
  readApprovals,
} from '#formats';
import type { Ledger } from '#ledger';
import type { InstalledPackages } from './installed-packages.ts';

export interface AttachmentSource {
  packages: InstalledPackages;
  ledger: Pick<Ledger, 'get'>;
  /** MSP ids of the channel's organisations. */
  organizations: readonly string[];
}

/** Whether the call records an approval, for which there must be a place. */
export function isApproval(args: readonly Uint8Array[]): boolean {
  return nameOf(args) === 'ApproveChaincodeDefinitionForMyOrg';
}

/**
 * The packages that a call of the lifecycle refers to: endorsers have none. What cannot be read or is
 * not installed is left out; the endorser says so in Fabric's words.
 *
 * @param mspid the organisation whose endpoint was called.
 */
export function lifecycleAttachments(
  args: readonly Uint8Array[],
  mspid: string,
  source: AttachmentSource,
): Uint8Array[] {
  try {
    const message = args[1] ?? emptyBytes;
    if (isApproval(args)) return ofApproval(message, mspid, source);
    return nameOf(args) === 'CommitChaincodeDefinition' ? ofCommit(message, source) : [];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

function ofApproval(message: Uint8Array, mspid: string, { packages }: AttachmentSource) {
  const { source } = ApproveChaincodeDefinitionForMyOrgArgs.decode(message);
  const found = packages.load(mspid, source?.localPackage?.packageId ?? '');
  return found === undefined ? [] : [found];
}

/** One package for each code that somebody approved, whoever installed it. */
function ofCommit(message: Uint8Array, { packages, ledger, organizations }: AttachmentSource) {
  const { name, sequence } = CommitChaincodeDefinitionArgs.decode(message);
  const byCode = new Map<string, Uint8Array>();
  for (const mspid of organizations) {
    const all = readApprovals(mspid, (key) => ledger.get(lifecycleNamespace, key)?.value);
    const approved = all && approvalOf(all, name, sequence);
    if (approved === undefined || byCode.has(toHex(approved.codeHash))) continue;
    const bytes = packages.load(mspid, approved.packageId);
    if (bytes !== undefined) byCode.set(toHex(approved.codeHash), bytes);
  }
  return [...byCode.values()];
}

function nameOf(args: readonly Uint8Array[]): string {
  return Buffer.from((args[0] ?? emptyBytes).subarray(0, 64)).toString('utf8');
}
