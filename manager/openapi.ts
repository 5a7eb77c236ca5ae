import type { ObjectSchema, Schema } from '#base';
import type { ApiRoute } from './api-route.ts';
import { Problem, problemMediaType } from './http-problem.ts';

/** The interface description of a set of routes, made from the schemas that check them. */
export function describeApi(routes: readonly ApiRoute[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toString().toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countersign',
      version: '1',
      summary: 'Signed requests in, endorsed blocks and receipts out.',
    },
    paths,
  };
}

function operationOf(route: ApiRoute): Record<string, unknown> {
  const { summary, params, query, bodies } = route;
  return {
    summary,
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(bodies === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(bodies) } }),
    responses: responsesOf(route),
  };
}

function parametersOf(place: 'path' | 'query', schema: ObjectSchema | undefined): unknown[] {
  if (schema === undefined) return [];
  const required = new Set<string>(schema.required ?? []);
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.has(name),
    schema: property,
  }));
}

function responsesOf({ answers, refusals }: ApiRoute): Record<string, unknown> {
  const responses: Record<string, unknown> = {};
  const problem = { [problemMediaType]: Problem };
  for (const status of refusals) {
    responses[status] = { description: reasons[status] ?? '', content: contentOf(problem) };
  }
  for (const [status, content] of Object.entries(answers)) {
    const refused = refusals.includes(Number(status)) ? problem : {};
    const description = reasons[Number(status)] ?? '';
    responses[status] = { description, content: contentOf({ ...content, ...refused }) };
  }
  return responses;
}

function contentOf(schemas: Readonly<Record<string, Schema>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }]));
}

const reasons: Readonly<Record<number, string>> = {
  200: 'Done.',
  202: 'Taken; ask for the outcome later.',
  400: 'What was sent is wrong; sending it again is useless.',
  401: 'The client is not known, or its request is out of date.',
  403: 'The client is known and may not do this.',
  404: 'There is no such thing.',
  409: 'The world has moved: sent before, or invalidated by another transaction.',
  422: 'The contract failed the request; that is on the ledger.',
  500: 'The service failed inside.',
  503: 'A limit is reached; try again later.',
};
