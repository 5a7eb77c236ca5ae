import { concatBytes } from '#base';
import { SignatureHeader } from '#formats';
import type { ConfigUpdateEnvelope } from '#formats';
import type { ChannelConfig } from './channel-config.ts';
import { isElementName } from './config-tree.ts';
import type { ConfigElement, ConfigTree } from './config-tree.ts';
import { fault } from './faults.ts';
import type { SignedData } from './identity.ts';
import type { Member } from './member.ts';

/**
 * Demands that what an update has read is as it was.
 *
 * @throws POLICY_UPDATE_OUTDATED
 * @see Fabric common/configtx/update.go, verifyReadSet.
 */
export function checkReadSet(readSet: ConfigTree, current: ConfigTree): void {
  for (const [element, { item }] of readSet) {
    const existing = current.get(element)?.item.version;
    if (existing === item.version) continue;
    throw fault('POLICY_UPDATE_OUTDATED', { element, read: item.version, existing });
  }
}

/** The written elements that were not read, or not in the version that is written. */
export function deltaOf(readSet: ConfigTree, writeSet: ConfigTree): ConfigTree {
  const delta = [...writeSet].filter(
    ([element, { item }]) => readSet.get(element)?.item.version !== item.version,
  );
  return new Map(delta);
}

/**
 * Demands that every change is the next version of what it changes, and that those who signed may
 * change it; a new element starts at version 0, and the group that names it is what is changed.
 *
 * @throws POLICY_UPDATE_EMPTY, POLICY_UPDATE_MOD_POLICY_INVALID, POLICY_UPDATE_VERSION_INVALID,
 *   POLICY_UPDATE_DENIED
 * @see Fabric common/configtx/update.go, verifyDeltaSet.
 */
export function checkDelta(
  delta: ConfigTree,
  current: ConfigTree,
  { config, signers }: { config: ChannelConfig; signers: readonly Member[] },
): void {
  if (delta.size === 0) throw fault('POLICY_UPDATE_EMPTY');
  for (const [element, { item }] of delta) {
    if (!isModificationPolicy(item.modPolicy)) {
      throw fault('POLICY_UPDATE_MOD_POLICY_INVALID', { element });
    }
    const existing = current.get(element);
    const next = existing === undefined ? 0n : BigInt.asUintN(64, existing.item.version + 1n);
    if (item.version !== next) {
      throw fault('POLICY_UPDATE_VERSION_INVALID', { element, version: item.version, next });
    }
    if (existing !== undefined) checkAllowed(element, existing, config, signers);
  }
}

/** Signatures of an update: each over its own header and the update. @throws FORMATS_PROTOBUF_INVALID */
export function updateSignatures({ configUpdate, signatures }: ConfigUpdateEnvelope): SignedData[] {
  return signatures.map(({ signatureHeader, signature }) => ({
    identity: SignatureHeader.decode(signatureHeader).creator,
    data: concatBytes(signatureHeader, configUpdate),
    signature,
  }));
}

/** What it takes is said by the element as it is, not by what it is to become. */
function checkAllowed(
  element: string,
  { home, item }: ConfigElement,
  config: ChannelConfig,
  signers: readonly Member[],
): void {
  const policy = config.modificationPolicy(home, item.modPolicy);
  if (policy?.evaluate(signers) === true) return;
  throw fault('POLICY_UPDATE_DENIED', { element, policy: item.modPolicy });
}

/** @see Fabric common/configtx/update.go, validateModPolicy. */
function isModificationPolicy(path: string): boolean {
  const relative = path.startsWith('/') ? path.slice(1) : path;
  return relative.split('/').every(isElementName);
}
