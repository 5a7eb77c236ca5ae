import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { systemClock, utf8 } from '#base';
import { derToRaw, rawToDer, toLowS } from '#crypto';
import {
  BroadcastResponse,
  ConfigEnvelope,
  ConfigUpdate,
  Envelope,
  Payload,
  SerializedIdentity,
} from '#formats';
import type { Block, Config, ConfigGroup } from '#formats';
import { editedGroup, signedEnvelope, signedUpdate, updateBetween } from './config-update.ts';
import type { UpdateSigner } from './config-update.ts';
import type { TestNetwork } from './test-network.ts';

const broadcastWaitMsMax = 60_000;

/** Signs with a key of the given PEMs. */
export function pemSigner(mspid: string, certificate: string, keyPem: string): UpdateSigner {
  const key = createPrivateKey(keyPem);
  return {
    serialized: SerializedIdentity.encode({ mspid, idBytes: utf8(certificate) }),
    sign: (data) => {
      const der = new Uint8Array(sign('sha256', data, key));
      return rawToDer(toLowS('P-256', derToRaw(der, 32)));
    },
  };
}

/** An identity that a network made, for example admin@org1. */
export function identitySigner(
  { network }: TestNetwork,
  mspid: string,
  name: string,
): UpdateSigner {
  const { certificateFile, keyFile } = network.layout.identity(name);
  return pemSigner(mspid, readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8'));
}

/** What a configuration block says. */
export function configIn(block: Block): Config {
  const { data } = Payload.decode(Envelope.decode(block.data!.data[0]!).payload);
  return ConfigEnvelope.decode(data).config!;
}

/** common.Envelope of an update, signed by all; the first of them sends it. */
export function channelUpdate(
  channel: string,
  current: Config,
  edit: (group: ConfigGroup) => void,
  signers: readonly [UpdateSigner, ...UpdateSigner[]],
): Uint8Array {
  const update = updateBetween(channel, current, editedGroup(current, edit));
  return signedEnvelope(signedUpdate(ConfigUpdate.encode(update), signers), {
    channelId: channel,
    sender: signers[0],
    timeSeconds: BigInt(Math.floor(systemClock.nowMs() / 1_000)),
  });
}

/** Posts an envelope to the ordering service of a network. */
export async function broadcast(
  { network: { layout, ports } }: TestNetwork,
  envelope: Uint8Array,
): Promise<BroadcastResponse> {
  const root = readFileSync(layout.tls('manager').caFile);
  const client = new Client(`localhost:${ports.deliver}`, credentials.createSsl(root));
  try {
    const call = client.makeBidiStreamRequest(
      '/orderer.AtomicBroadcast/Broadcast',
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => BroadcastResponse.decode(bytes),
      { deadline: systemClock.nowMs() + broadcastWaitMsMax },
    );
    call.write(envelope);
    for await (const response of call) {
      call.end();
      return response as BroadcastResponse;
    }
    throw new Error('no answer');
  } finally {
    client.close();
  }
}
