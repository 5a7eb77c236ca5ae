import { Metadata } from '@grpc/grpc-js';
import type { GatewayError } from '@hyperledger/fabric-gateway';
import t from 'tap';
import { Fault, grpcStatusOf, limits, silentLog } from '#base';
import type { FaultKind } from '#base';
import { RpcStatus } from '#formats';
import { fault } from '../../manager/faults.ts';
import { CallFailure, grpcCodes, statusOf } from '../../manager/grpc-faults.ts';
import { buildGrpc } from '../../manager/grpc-server.ts';
import { channelId, makeChannel, makeMember } from './channel.ts';
import { sdkGateway } from './sdk-client.ts';

const channel = await makeChannel();
const member = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const details = [
  { address: 'localhost:7051', mspId: 'Org1MSP', message: 'chaincode response 500, Grüße' },
  { address: 'localhost:9051', mspId: 'Org2MSP', message: '' },
];

t.test('every status code, with its details, reaches an application on Fabric’s SDK', async (t) => {
  let failure = new Error('none yet');
  const evaluate = {
    kind: 'unary' as const,
    requestBytesMax: limits.grpcRequestBytesMax,
    serve: () => Promise.reject(failure),
  };
  const server = buildGrpc({
    listen: { host: '127.0.0.1', port: 0 },
    services: { 'gateway.Gateway': { Evaluate: evaluate } },
    log: silentLog,
  });
  const { main } = await server.listen();
  t.teardown(() => server.close());
  const contract = sdkGateway(t, main, member).getNetwork(channelId).getContract('notary');
  for (const [name, code] of Object.entries(grpcCodes)) {
    failure = new CallFailure(code, `It is ${name}.`, details);
    const error = await contract
      .evaluateTransaction('look')
      .catch((thrown: GatewayError) => thrown);
    t.match(error, { code, details }, name);
    t.match((error as GatewayError).message, `It is ${name}.`);
  }
});

t.test('a fault becomes the status of its kind, and says its code', async (t) => {
  for (const [kind, code] of Object.entries(grpcStatusOf)) {
    const { code: told, details: text } = statusOf(
      new Fault('MANAGER_TEST_FAULT', kind as FaultKind, 'What it says.', { secret: 'no' }),
    );
    t.equal(told, code);
    t.match(text, '(MANAGER_TEST_FAULT)');
    t.notMatch(text, 'secret');
    t.equal(text.includes('What it says.'), kind !== 'broken' && kind !== 'fatal', kind);
  }
});

t.test('what is no fault is told as a failure inside, and no more', async (t) => {
  const { code, details: text } = statusOf(new Error('the pin is 1234'));
  t.equal(code, grpcCodes.internal);
  t.equal(text, 'The service failed inside. (MANAGER_CALL_FAILED)');
});

t.test('without details there is no trailer', async (t) => {
  t.strictSame(statusOf(fault('MANAGER_CALLS_FULL')).metadata, new Metadata());
});

t.test('a status never outgrows what clients take of trailers', async (t) => {
  const long = 'ü'.repeat(5_000);
  const many = Array.from({ length: 100 }, () => ({ address: 'a', mspId: 'b', message: long }));
  const { details: text, metadata } = statusOf(new CallFailure(grpcCodes.aborted, long, many));
  t.equal(Buffer.byteLength(text), limits.grpcMessageBytesMax);
  const [trailer] = metadata.get('grpc-status-details-bin');
  const sent = encodeURI(text).length + ((trailer?.length ?? 0) * 4) / 3;
  t.ok(sent < 8 * 1_024, `${sent} bytes`);
  const told = RpcStatus.decodeCanonical(trailer as Buffer);
  t.ok(told.details.length > 0 && told.details.length < many.length);
});
