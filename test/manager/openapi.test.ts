import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { parseRequest } from '#formats';
import { makeChannel, makeMember } from './channel.ts';
import { signedRequest } from './signed-request.ts';
import { openTestLedger } from './test-ledger.ts';
import { edgeOf } from './zone-edge.ts';

const channel = await makeChannel();
const clerk = await makeMember(channel.authorities.Org1MSP, 'Org1MSP');
const bytes = signedRequest(clerk, { alg: 'ES256', kid: 'clerk-1' });
const { requestId } = parseRequest(bytes);

interface Operation {
  summary: string;
  parameters: { name: string; in: string; schema: object }[];
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
}

interface Description {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

const { ledger, commit } = await openTestLedger(t, channel);
await commit([{ requests: [bytes] }]);
const { app } = edgeOf(t, { channel, clerk, ledger }).http;

t.test('every route is described, and every described one is there', async (t) => {
  const { openapi, paths } = (await app.inject('/openapi.json')).json<Description>();
  t.equal(openapi, '3.1.0');
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({ method, path })),
  );
  for (const { method, path } of described) {
    const url = path.replace(/\{(\w+)\}/g, ':$1');
    t.ok(app.hasRoute({ method: method.toUpperCase(), url }), `${method} ${path}`);
  }
  const routes = app.printRoutes({ commonPrefix: false });
  const registered = [...routes.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, one]) => one?.split(', '));
  t.equal(described.length, registered.length, routes);
});

t.test('every operation says what it does, takes and answers', async (t) => {
  const { paths } = (await app.inject('/openapi.json')).json<Description>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const operation of Object.values(operations)) {
      t.match(operation.summary, /^[A-Z].*\.$/, path);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const taken = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      t.strictSame(taken, named, path);
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        t.match(description, /./, `${path} ${status}`);
        if (Number(status) >= 400 && status !== '422') {
          t.ok('application/problem+json' in content, `${path} ${status}`);
        }
      }
    }
  }
});

t.test('what is answered fits its description', async (t) => {
  const { paths } = (await app.inject('/openapi.json')).json<Description>();
  const ajv = new Ajv2020({ strict: false });
  const txId = ledger.request(requestId)!.txId;
  const asked: readonly [path: string, url: string][] = [
    ['/v1/health', '/v1/health'],
    ['/v1/requests/{id}', `/v1/requests/${requestId}`],
    ['/v1/requests/{id}', `/v1/requests/${'0'.repeat(64)}`],
    ['/v1/requests/{id}', '/v1/requests/1'],
    ['/v1/requests/{id}/receipt', `/v1/requests/${requestId}/receipt`],
    ['/v1/blocks/{number}', '/v1/blocks/0'],
    ['/v1/blocks/{number}', '/v1/blocks/2'],
    ['/v1/blocks/{number}', '/v1/blocks/3'],
    ['/v1/transactions/{txId}', `/v1/transactions/${txId}`],
    ['/v1/transactions/{txId}', `/v1/transactions/${'0'.repeat(64)}`],
  ];
  for (const [path, url] of asked) {
    const answer = await app.inject(url);
    const type = answer.headers['content-type']!.split(';')[0]!;
    const schema = paths[path]?.['get']?.responses[answer.statusCode]?.content[type]?.schema;
    t.ok(schema, `${url} ${answer.statusCode} ${type} is described`);
    const validate = ajv.compile(schema ?? false);
    t.ok(validate(answer.json()), `${url} ${JSON.stringify(validate.errors)}`);
  }
});
