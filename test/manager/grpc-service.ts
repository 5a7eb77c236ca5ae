import { ordererService } from '../../manager/deliver.ts';
import type { OrdererSource } from '../../manager/deliver.ts';
import { buildGrpc } from '../../manager/grpc-server.ts';
import type { GrpcOptions } from '../../manager/grpc-server.ts';

export type OrdererOptions = OrdererSource & Pick<GrpcOptions, 'bounds' | 'listen'>;

/** A gRPC server with the ordering service alone; listening gives its port. */
export function serveOrderer({ listen, bounds = {}, ...source }: OrdererOptions) {
  const services = ordererService(source);
  const server = buildGrpc({ listen, services, log: source.log, bounds });
  return { close: () => server.close(), listen: async () => (await server.listen()).main };
}
