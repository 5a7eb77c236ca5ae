import type { FabricBinaries } from './fabric-binaries.ts';
import { stockMaterial } from './stock-material.ts';
import type { StockPeerOptions } from './stock-peer.ts';

const channel = 'stock';

/**
 * A channel of one organisation that only Fabric's own programs made: what our genesis block and our
 * certificates are compared with, and what the peer's tooling is tested on.
 *
 * @param dir becomes the network's.
 * @param ordererPort where the genesis block says that blocks come from; nothing listens there.
 */
export async function stockNetwork(
  binaries: FabricBinaries,
  dir: string,
  ordererPort: number,
): Promise<Omit<StockPeerOptions, 'dir'>> {
  const host = '127.0.0.1';
  const material = await stockMaterial(binaries, dir, {
    channel,
    orderer: { host, port: ordererPort },
    organisations: [{ name: 'One', peer: { host, port: 0 }, anchor: false }],
    blockWaitMs: 1_000,
  });
  const peer = await material.peer('One');
  return { binaries, channel, genesisBlockFile: material.genesisBlockFile, ...peer };
}
