import { Fault, equalBytes } from '#base';
import { EtcdraftConfigMetadata } from '#formats';
import type { ChannelConfig } from './channel-config.ts';
import { fault } from './faults.ts';

/** orderer.ConsensusType.State: STATE_NORMAL; the other is for moving to another engine. */
const normalState = 0;

/**
 * Refuses what may not follow on a configuration in the eyes of every peer: an organisation that
 * takes another MSP id. That no group vanishes, each configuration sees to by itself.
 *
 * @throws POLICY_UPDATE_FORBIDDEN
 * @see Fabric common/channelconfig/bundle.go, ValidateNew.
 */
export function checkSuccession(current: ChannelConfig, next: ChannelConfig): void {
  for (const [organization, mspid] of current.lasting.mspIds) {
    const nextId = next.lasting.mspIds.get(organization);
    if (nextId === undefined || nextId === mspid) continue;
    throw fault('POLICY_UPDATE_FORBIDDEN', { reason: 'MSP id of an organisation', organization });
  }
}

/**
 * Refuses what the ordering side does not take: the zone orders with its own engine, so there is no
 * other to move to, and what stands of it in the configuration has to stay readable.
 *
 * @throws POLICY_UPDATE_FORBIDDEN
 * @see Fabric orderer/common/msgprocessor/maintenancefilter.go.
 */
export function checkOrdering(current: ChannelConfig, next: ChannelConfig): void {
  const [before, after] = [current.lasting.consensus, next.lasting.consensus];
  if (before.type !== after.type) throw forbidden('type of consensus');
  if (after.state !== normalState) throw forbidden('state of consensus');
  if (equalBytes(before.metadata, after.metadata)) return;
  if (consenterCount(after.metadata) === 0) throw forbidden('metadata of consensus');
}

/** 0 also when the metadata cannot be read. */
function consenterCount(metadata: Uint8Array): number {
  try {
    return EtcdraftConfigMetadata.decode(metadata).consenters.length;
  } catch (error) {
    if (error instanceof Fault) return 0;
    throw error;
  }
}

function forbidden(reason: string): Error {
  return fault('POLICY_UPDATE_FORBIDDEN', { reason });
}
