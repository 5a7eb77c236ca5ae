import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { systemClock } from '#base';
import {
  Block,
  BroadcastResponse,
  ConfigEnvelope,
  Envelope,
  Payload,
  deliverStatuses,
  lastConfigIndex,
} from '#formats';
import type { Config } from '#formats';
import { fault } from './faults.ts';
import { serviceOf } from './network-open.ts';
import type { OpenNetwork } from './network-open.ts';

const broadcastWaitMsMax = 60_000;
const broadcastPath = '/orderer.AtomicBroadcast/Broadcast';

/**
 * The channel's configuration as it is in force now.
 *
 * @throws CLI_CALL_FAILED, POLICY_CONFIG_INVALID
 */
export async function currentConfig(network: OpenNetwork): Promise<Config> {
  const service = serviceOf(network);
  const { body } = await service.get('/v1/health');
  const { height } = body as { height: number };
  const newest = Block.decode(await service.getBlock(BigInt(height) - 1n));
  return configIn(Block.decode(await service.getBlock(lastConfigIndex(newest))));
}

/** What a configuration block says. */
export function configIn(block: Block): Config {
  const { data } = Payload.decode(Envelope.decode(block.data?.data[0] ?? empty).payload);
  const { config } = ConfigEnvelope.decode(data);
  if (config === undefined) throw fault('CLI_CALL_FAILED', { reason: 'no configuration block' });
  return config;
}

const empty = new Uint8Array(0);

/** Has an envelope ordered. @throws CLI_ENVELOPE_REFUSED, CLI_CALL_FAILED */
export async function order(network: OpenNetwork, envelope: Uint8Array): Promise<void> {
  const { status, info } = await broadcast(network, envelope);
  if (status !== deliverStatuses.success) throw fault('CLI_ENVELOPE_REFUSED', { status, info });
}

/** Posts an envelope to the ordering service. @throws CLI_CALL_FAILED */
export async function broadcast(
  { layout, ports }: OpenNetwork,
  envelope: Uint8Array,
): Promise<BroadcastResponse> {
  const root = readFileSync(layout.tls('manager').caFile);
  const client = new Client(`localhost:${ports.deliver}`, credentials.createSsl(root));
  try {
    const call = client.makeBidiStreamRequest(
      broadcastPath,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => BroadcastResponse.decode(bytes),
      { deadline: systemClock.nowMs() + broadcastWaitMsMax },
    );
    call.write(envelope);
    for await (const response of call) {
      call.end();
      return response as BroadcastResponse;
    }
    throw fault('CLI_CALL_FAILED', { path: broadcastPath });
  } catch (cause) {
    const { details } = cause as { details?: string };
    if (details === undefined) throw cause;
    throw fault('CLI_CALL_FAILED', { path: broadcastPath, reason: details }, cause);
  } finally {
    client.close();
  }
}
