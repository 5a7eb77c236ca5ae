import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock, utf8 } from '#base';
import { normaliseEcdsa, derToRaw } from '#crypto';
import { ConfigUpdate, SerializedIdentity } from '#formats';
import type { ConfigGroup } from '#formats';
import { editedGroup, signUpdate, updateBetween, updateEnvelope } from '#policy';
import type { UpdateSigner } from '#policy';
import { fault } from './faults.ts';
import { currentConfig, order } from './ordering-service.ts';
import type { OpenNetwork } from './network-open.ts';

const nonceBytes = 24;
const commitWaitMsMax = 60_000;
const pollMs = 50;

/**
 * Changes the channel's configuration, and waits until the change is in force.
 *
 * @param signers who approve it; the first of them sends it.
 * @returns the sequence of the configuration that holds it.
 * @throws CLI_ENVELOPE_REFUSED, CLI_CALL_FAILED
 */
export async function updateChannel(
  network: OpenNetwork,
  edit: (channel: ConfigGroup) => void,
  signers: readonly [UpdateSigner, ...UpdateSigner[]],
): Promise<bigint> {
  const { channel } = network.spec;
  const config = await currentConfig(network);
  const update = updateBetween(channel, config, editedGroup(config, edit));
  const envelope = updateEnvelope(signUpdate(ConfigUpdate.encode(update), signers, nonce), {
    channel,
    sender: signers[0],
    timeMs: systemClock.nowMs(),
    nonce: nonce(),
  });
  await order(network, envelope);
  return sequenceAfter(network, config.sequence);
}

/** An envelope is accepted a moment before its block is there. */
async function sequenceAfter(network: OpenNetwork, before: bigint): Promise<bigint> {
  for (let waitedMs = 0; waitedMs < commitWaitMsMax; waitedMs += pollMs) {
    const { sequence } = await currentConfig(network);
    if (sequence > before) return sequence;
    await wait(pollMs);
  }
  throw fault('CLI_CALL_FAILED', { reason: 'the update is in no block', commitWaitMsMax });
}

/** Signs as an identity of the network whose key is a file, such as admin@org1. */
export function identitySigner({ layout }: OpenNetwork, mspid: string, name: string): UpdateSigner {
  const { certificateFile, keyFile } = layout.identity(name);
  return pemSigner(mspid, readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8'));
}

/** Signs with a P-256 key of the given PEMs. */
export function pemSigner(mspid: string, certificate: string, keyPem: string): UpdateSigner {
  return {
    serialized: SerializedIdentity.encode({ mspid, idBytes: utf8(certificate) }),
    sign: fileSigner(keyPem),
  };
}

/** @returns what signs with ECDSA and SHA-256: DER with low s. */
export function fileSigner(keyPem: string): (content: Uint8Array) => Uint8Array {
  const key = createPrivateKey(keyPem);
  return (content) => normaliseEcdsa(derToRaw(sign('sha256', content, key), 32), 'P-256');
}

function nonce(): Uint8Array {
  return new Uint8Array(randomBytes(nonceBytes));
}
