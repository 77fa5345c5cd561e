import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Config } from '../ingest/config.ts';
import type { Logger } from '../ingest/logger.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Scope, TokenGrant, TokenReader } from '../ingest/token.ts';
import type { ApiDescriptions } from '../workers/api-descriptions.ts';
import type { Store } from '../workers/clickhouse/store.ts';
import type { KeyLists } from '../workers/keys/newest-key-list.ts';
import type { Registry } from '../workers/keys/registry.ts';
import type { Tokens } from '../workers/tokens.ts';
import type { DeliveryDesk } from './delivery-desk.ts';
import type { JobQueue } from './job-queues.ts';
import type { Sessions } from './sessions.ts';

/** What routes work with. */
export interface ApiParts {
  config: Config;
  store: Store;
  redis: Redis;
  registry: Registry;
  /** Ready-made key lists, where there are very many keys. */
  keyLists: KeyLists;
  tokens: Tokens;
  apiDescriptions: ApiDescriptions;
  tokenReader: TokenReader;
  sessions: Sessions;
  jobQueues: readonly JobQueue[];
  delivery: DeliveryDesk;
  log: Logger;
  /** Build date of the country data set, shown with its attribution. */
  geoBuiltAt(): Date | undefined;
}

type Shape = z.ZodObject;

/**
 * One route of the API: what validates a request also generates its documentation, and the test of every
 * role against every route walks this list.
 */
export interface Route<Params extends Shape = Shape, Query extends Shape = Shape, Body extends z.ZodType = z.ZodType> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Express path, parameters as `:name`. */
  path: string;
  /** Scope a token needs; `none` = open to everyone. */
  scope: Scope | 'none';
  /**
   * Which tokens may call it at all: any (each sees its own), those that are not bound to a single key, or only those of the
   * whole platform. Others get 403 before anything is read.
   */
  reach?: 'organization' | 'platform';
  summary: string;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Bodies that the handler reads by itself, by media type, for the documentation. */
  consumes?: Readonly<Record<string, z.ZodType>>;
  /** Headers of the request that the handler reads, for the documentation. */
  requestHeaders?: Readonly<Record<string, { description: string; isRequired?: boolean }>>;
  /** Shape of the 200 answer, for the documentation. */
  response?: z.ZodType;
  /** Further media types of the answer, for the documentation; without a `response` the only ones. */
  alsoProduces?: readonly string[];
  /** Headers of the answer and what they say, for the documentation. */
  responseHeaders?: Readonly<Record<string, { type: 'integer' | 'string'; description: string }>>;
  /** Further statuses and when they are answered, for the documentation. */
  statuses?: Readonly<Record<number, string>>;
  handle: (call: Call<Params, Query, Body>) => Promise<unknown>;
}

export interface Call<Params extends Shape, Query extends Shape, Body extends z.ZodType> {
  parts: ApiParts;
  grant: TokenGrant;
  params: z.infer<Params>;
  query: z.infer<Query>;
  body: z.infer<Body>;
  req: Request;
  /** A handler that answers by itself (an export) returns undefined. */
  res: Response;
}

/** Keeps the types of a route's schemas together with its handler. */
export function route<Params extends Shape, Query extends Shape, Body extends z.ZodType>(
  definition: Route<Params, Query, Body>,
): Route {
  return definition as unknown as Route;
}
