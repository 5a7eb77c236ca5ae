import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { Type } from '#base';
import type { ObjectSchema, Schema } from '#base';

/** One way to call the service: what is registered is what is described. */
export interface ApiRoute {
  method: HTTPMethods;
  /** In fastify's form, `/v1/blocks/:number`. */
  url: string;
  summary: string;
  params?: ObjectSchema;
  query?: ObjectSchema;
  /** What may be sent, by media type. */
  bodies?: Readonly<Record<string, Schema>>;
  /** What is answered beside problems, by status and media type. */
  answers: Readonly<Record<number, Readonly<Record<string, Schema>>>>;
  /** Kinds of refusal, as HTTP statuses. */
  refusals: readonly number[];
  answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

/** Registers a route; its parameters and query are checked, its body is for `answer` to read. */
export function addRoute(app: FastifyInstance, route: ApiRoute): void {
  const { method, url, params = nothing, query = nothing, answer } = route;
  const schema = { params, querystring: query };
  app.route({ method, url, schema, handler: answer });
}

const nothing = Type.Object({}, { additionalProperties: false });
