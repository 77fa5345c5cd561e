import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type RequestHandler, type Router } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Config } from '../ingest/config.ts';
import type { ReadinessChecks } from '../ingest/http-server.ts';
import type { Logger } from '../ingest/logger.ts';
import { packageRoot } from '../ingest/package-root.ts';
import { Problem } from '../ingest/problem.ts';
import type { Redis } from '../ingest/redis.ts';
import { checkWrites, connectRedis } from '../ingest/redis.ts';
import { bearerToken, sha256, TokenReader } from '../ingest/token.ts';
import { createSender } from '../workers/alerts/channels/send.ts';
import { secretBox } from '../workers/alerts/delivery/channels.ts';
import { usableSecretKeys } from '../workers/alerts/delivery/secret-keys.ts';
import { openDeliveryQueue } from '../workers/alerts/outbox.ts';
import { ApiDescriptions } from '../workers/api-descriptions.ts';
import type { Store } from '../workers/clickhouse/store.ts';
import { KeyLists } from '../workers/keys/newest-key-list.ts';
import { Registry } from '../workers/keys/registry.ts';
import { shardsInUse } from '../workers/shards-in-use.ts';
import { Tokens } from '../workers/tokens.ts';
import { cookie } from './caller.ts';
import { crossOrigin } from './cross-origin.ts';
import type { DeliveryDesk } from './delivery-desk.ts';
import { DOCS_STYLE, docsPage } from './docs-page.ts';
import { INGEST_PATHS } from './ingest-docs.ts';
import { jobBoard } from './job-board.ts';
import { openJobQueues } from './job-queues.ts';
import { mountRoutes } from './mount.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiParts } from './route.ts';
import { ROUTES } from './routes/routes.ts';
import { SESSION_COOKIE, Sessions } from './sessions.ts';
import { programVersion } from './version.ts';

export interface ApiPart {
  /** Before every other router: one that has a path for POST alone would answer the browser's OPTIONS for it by itself. */
  first: Router;
  router: Router;
  /** The dashboard's files; every unknown page is its index, because it routes by itself. */
  fallback: RequestHandler;
  checks: ReadinessChecks;
  /** Answers requests that wait for a change, so that HTTP can be closed. */
  drain(): void;
  close(): Promise<void>;
}

export interface ApiOptions {
  config: Config;
  redisUrl: string;
  store: Store;
  log: Logger;
  geoBuiltAt: () => Date | undefined;
}

/** @throws {ConfigError} when Redis cannot be reached */
export async function startApi({ config, redisUrl, store, log, geoBuiltAt }: ApiOptions): Promise<ApiPart> {
  const redis = await connectRedis(redisUrl, 'producer', (error) => log.warn({ err: error }, 'Redis connection'));
  const tokenReader = new TokenReader(redis);
  const delivery = openDesk(config, redis, log);
  const parts: ApiParts = {
    config,
    store,
    redis,
    registry: new Registry(store, redis),
    keyLists: new KeyLists(store),
    tokens: new Tokens(store, redis),
    apiDescriptions: new ApiDescriptions(store, redis),
    tokenReader,
    sessions: new Sessions(redis, tokenReader),
    jobQueues: openJobQueues(redis, await shardsInUse(redis, config.INGEST_SHARDS), log),
    delivery,
    log,
    geoBuiltAt,
  };
  const first = express.Router();
  first.use('/v1', crossOrigin(config.CORS_ORIGINS));
  const router = express.Router();
  router.use('/v1', limiter(config));
  router.use(mountRoutes(parts, ROUTES));
  router.use(jobBoard(parts));
  mountDocs(router);
  return {
    first,
    router,
    fallback: dashboardFiles(),
    checks: {
      redis: () => checkWrites(redis),
      clickhouse: async () => ((await store.ping()) ? undefined : 'ClickHouse does not answer'),
    },
    drain: () => parts.registry.denials.close(),
    close: async () => {
      await Promise.all(parts.jobQueues.map(({ queue }) => queue.close()));
      await delivery.queue.close();
      await delivery.sender.close();
      redis.disconnect();
    },
  };
}

/** @throws {ConfigError} when the keys that seal secrets cannot be used */
function openDesk(config: Config, redis: Redis, log: Logger): DeliveryDesk {
  const keys = usableSecretKeys(config);
  const queue = openDeliveryQueue(redis);
  queue.on('error', (error) => log.warn({ err: error }, 'delivery queue'));
  const sender = createSender(config, log, keys);
  return { redis, queue, sender, box: secretBox(keys), keys };
}

/** Per token or session, else per address: a stranger guessing tokens is slowed like everyone else. */
function limiter(config: Config): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: config.API_REQUESTS_PER_MINUTE,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (req) =>
      sha256(bearerToken(req.get('authorization')) || cookie(req, SESSION_COOKIE) || ipKeyGenerator(req.ip ?? '')),
    handler: (_req, _res, next) =>
      next(new Problem(429, 'Too many requests', 'the limit per token and minute is reached')),
  });
}

/** Made when somebody first asks: no start waits for it. */
function mountDocs(router: Router): void {
  let made: ReturnType<typeof openApiDocument> | undefined;
  const document = () => (made ??= openApiDocument(ROUTES, INGEST_PATHS, programVersion()));
  let page: Promise<string> | undefined;
  const toPage = async () => docsPage((await document()) as unknown as Parameters<typeof docsPage>[0]);
  router.get('/openapi.json', async (_req, res) => void res.json(await document()));
  router.get('/docs', async (_req, res) => void res.type('html').send(await (page ??= toPage())));
  router.get('/docs.css', (_req, res) => void res.type('css').send(DOCS_STYLE));
}

function dashboardFiles(): RequestHandler {
  const folder = join(packageRoot(), 'dist/dashboards');
  const index = join(folder, 'index.html');
  const files = express.static(folder, {
    index: false,
    setHeaders: (res, path) => {
      res.set('Cache-Control', cacheControlOf(path));
      // Module scripts are fetched across origins: the files hold no data, which needs a token.
      res.set({ 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' });
    },
  });
  return (req, res, next) => {
    if ((req.method !== 'GET' && req.method !== 'HEAD') || req.path.startsWith('/v1/') || !existsSync(index))
      return next();
    files(req, res, () => {
      // A file that is missing is a 404, not a page: a broken link to a script must not answer with HTML.
      if (req.path.startsWith('/assets/')) return next();
      res.set('Cache-Control', 'no-cache').sendFile(index);
    });
  };
}

/** Names under assets/ carry a hash of their content; the embedding entry must not outlive the chunks it names. */
function cacheControlOf(path: string): string {
  if (path.includes('/assets/')) return 'public, max-age=31536000, immutable';
  // The icon and the script that sets the theme fit every release, and the page waits for the script.
  return path.endsWith('/keytally-usage.js') ? 'no-cache' : 'public, max-age=3600';
}
