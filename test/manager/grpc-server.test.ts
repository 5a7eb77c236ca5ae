import { status } from '@grpc/grpc-js';
import t from 'tap';
import type { Test } from 'tap';
import { limits, silentLog, textOf, utf8 } from '#base';
import type { GrpcServices } from '../../manager/grpc-call.ts';
import { buildGrpc } from '../../manager/grpc-server.ts';
import type { GrpcOptions } from '../../manager/grpc-server.ts';
import { makeTlsPair } from './channel.ts';
import { GatewayConnection } from './grpc-client.ts';
import { soon } from './reading-zone.ts';

const loopback = { host: '127.0.0.1', port: 0 };

/** A service that says who it was asked as, one that echoes, and one that never answers. */
const services: GrpcServices = {
  'test.Echo': {
    Whose: {
      kind: 'unary',
      requestBytesMax: 10,
      serve: async (_request, { mspid }) => utf8(mspid ?? 'the zone'),
    },
    Echo: {
      kind: 'unary',
      requestBytesMax: limits.grpcRequestBytesMax,
      serve: async (request) => request,
    },
    Never: {
      kind: 'unary',
      requestBytesMax: 10,
      serve: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    },
    Broken: {
      kind: 'unary',
      requestBytesMax: 10,
      serve: () => Promise.reject(new Error('the pin is 1234')),
    },
  },
};

async function serve(t: Test, options: Partial<GrpcOptions> = {}) {
  const server = buildGrpc({ listen: loopback, services, log: silentLog, ...options });
  t.teardown(() => server.close());
  const ports = await server.listen();
  const connect = (port: number, root?: string) => {
    const connection = new GatewayConnection(port, root);
    t.teardown(() => connection[Symbol.dispose]());
    return connection;
  };
  return { server, ports, connect };
}

t.test('each organisation has an endpoint, and handlers know whose was called', async (t) => {
  const { ports, connect } = await serve(t, {
    organizations: ['Org1MSP', 'Org2MSP'].map((mspid) => ({ mspid, listen: loopback })),
  });
  const ask = async (port: number) =>
    textOf(await connect(port).unary('/test.Echo/Whose', utf8('')));
  t.equal(await ask(ports.main), 'the zone');
  t.strictSame(Object.keys(ports.organizations), ['Org1MSP', 'Org2MSP']);
  for (const [mspid, port] of Object.entries(ports.organizations)) t.equal(await ask(port), mspid);
});

t.test('a client that trusts another authority is not answered, and the others are', async (t) => {
  const tls = await makeTlsPair();
  const other = await makeTlsPair();
  const { ports, connect } = await serve(t, { listen: { ...loopback, tls } });
  const deadline = new Date(Date.now() + 5_000);
  const call = connect(ports.main, other.root).unary('/test.Echo/Whose', utf8(''), { deadline });
  await t.rejects(call, { code: status.UNAVAILABLE });
  const answer = await connect(ports.main, tls.root).unary('/test.Echo/Whose', utf8(''));
  t.equal(textOf(answer), 'the zone');
});

t.test('what is not served is unimplemented', async (t) => {
  const { ports, connect } = await serve(t);
  const connection = connect(ports.main);
  for (const path of ['/test.Echo/Nothing', '/gateway.Gateway/Endorse', '/nonsense']) {
    await t.rejects(connection.unary(path, utf8('')), { code: status.UNIMPLEMENTED }, path);
  }
});

t.test('each method has its own bound, and the server one for all', async (t) => {
  const { ports, connect } = await serve(t);
  const connection = connect(ports.main);
  const whole = new Uint8Array(limits.grpcRequestBytesMax).fill(7);
  const echo = await connection.unary('/test.Echo/Echo', whole);
  t.ok(Buffer.from(whole).equals(echo));
  const over = new Uint8Array(limits.grpcRequestBytesMax + 1);
  const code = status.RESOURCE_EXHAUSTED;
  await t.rejects(connection.unary('/test.Echo/Echo', over), { code });
  await t.rejects(connection.unary('/test.Echo/Whose', new Uint8Array(11)), { code });
});

t.test('a failure inside tells its client nothing of itself', async (t) => {
  const { ports, connect } = await serve(t);
  await t.rejects(connect(ports.main).unary('/test.Echo/Broken', utf8('')), {
    code: status.INTERNAL,
    details: 'The service failed inside. (MANAGER_CALL_FAILED)',
  });
});

t.test('clients that vanish without a word leave nothing behind', async (t) => {
  const { server, ports, connect } = await serve(t);
  const connections = Array.from({ length: 5 }, () => connect(ports.main));
  const calls = connections.flatMap((connection) =>
    Array.from({ length: 40 }, () => connection.unary('/test.Echo/Never', utf8(''))),
  );
  const settled = Promise.allSettled(calls);
  await soon(() => server.open.calls === calls.length);
  for (const connection of connections) connection[Symbol.dispose]();
  await server.close();
  t.ok((await settled).every((one) => one.status === 'rejected'));
  await soon(() => server.open.calls === 0);
});

t.test('a port that somebody else listens on is refused', async (t) => {
  const first = buildGrpc({ services, log: silentLog, listen: loopback });
  t.teardown(() => first.close());
  const { main: port } = await first.listen();
  const second = buildGrpc({ services, log: silentLog, listen: { ...loopback, port } });
  await t.rejects(second.listen(), {
    code: 'MANAGER_LISTEN_REFUSED',
    kind: 'busy',
    detail: { host: loopback.host, port, reason: /EADDRINUSE/ },
  });
});

t.test('an endpoint in the clear is for its own host only', async (t) => {
  const exposed = { host: '0.0.0.0', port: 0 };
  for (const options of [
    { listen: exposed },
    { listen: loopback, organizations: [{ mspid: 'Org1MSP', listen: exposed }] },
  ]) {
    t.throws(() => buildGrpc({ services, log: silentLog, ...options }), {
      code: 'MANAGER_LISTEN_INSECURE',
    });
  }
});
