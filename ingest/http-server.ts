import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import { ConfigError } from './config-error.ts';
import { guessLimit } from './guess-limit.ts';
import type { Logger } from './logger.ts';
import { METRICS_TYPE, metricsText, ready as readyGauge } from './metrics.ts';
import { notFound, problemHandler } from './problem.ts';

/** Named checks of a part; each says undefined when well, else what is wrong. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<string | undefined>>>;

export interface AppOptions {
  log: Logger;
  checks: ReadinessChecks;
  routers: readonly (Router | RequestHandler)[];
  /** Answered last, before 404: the dashboard's files. */
  fallback?: RequestHandler;
  trustedProxies: readonly string[];
}

/** An HTTP application whose readiness can be switched off before it is closed. */
export interface App {
  express: Express;
  /** From now on `/readyz` says 503, so that a load balancer stops sending. */
  drain(): void;
}

const CHECK_TIMEOUT_MS = 3_000;

/** What every part's HTTP side has: security headers, health, metrics, problem answers. */
export function createApp(options: AppOptions): App {
  let draining = false;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', options.trustedProxies.length > 0 ? [...options.trustedProxies] : false);
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY } }));
  app.get('/healthz', (_req, res) => void res.json({ status: 'ok' }));
  app.get('/readyz', async (_req, res) => {
    const failing = draining ? { process: 'stopping' } : await failingChecks(options.checks);
    const ready = Object.keys(failing).length === 0;
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', failing });
  });
  app.get('/metrics', async (_req, res) => {
    const failing = await failingChecks(options.checks);
    for (const check of Object.keys(options.checks)) readyGauge.set({ check }, check in failing ? 0 : 1);
    res.type(METRICS_TYPE).send(await metricsText());
  });
  const guesses = guessLimit();
  app.use('/v1', guesses.before);
  for (const router of options.routers) app.use(router);
  if (options.fallback) app.use(options.fallback);
  app.use('/v1', guesses.onRefused);
  app.use(notFound);
  app.use(problemHandler(options.log));
  return { express: app, drain: () => (draining = true) };
}

/** No inline script, nothing from elsewhere. uPlot and the map set styles through the DOM, which this allows. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

async function failingChecks(checks: ReadinessChecks): Promise<Record<string, string>> {
  const failing: Record<string, string> = {};
  await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const problem = await Promise.race([check().catch((error: Error) => error.message), timeout()]);
      if (problem !== undefined) failing[name] = problem;
    }),
  );
  return failing;
}

function timeout(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('no answer in time'), CHECK_TIMEOUT_MS).unref());
}

/** What a connection may take. A client that sends its headers or its body too slowly is cut off. */
export const CONNECTION_LIMITS = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  /** Longer than the 60 s of common load balancers, so that they close first. */
  keepAliveTimeoutMs: 65_000,
  /** How often slow connections are looked for; Node's own default of 30 s would let them live four times as long. */
  checkEveryMs: 2_000,
  /**
   * Requests under way have this long to end when the process stops: one client that stood still in the middle of its body took all of the 30 s,
   * and nothing behind HTTP was stopped in order. What was cut off has no answer, and its sender sends it again.
   */
  closeLimitMs: 6_000,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
};
const IDLE_CHECK_MS = 50;

export interface Listening {
  server: Server;
  port: number;
  /** Takes no new request and waits for those under way, as long as the limits say. */
  close(): Promise<void>;
}

/** @throws {ConfigError} when the port cannot be bound */
export function listen(
  app: App,
  host: string,
  port: number,
  limits: typeof CONNECTION_LIMITS = CONNECTION_LIMITS,
): Promise<Listening> {
  const server = createServer(
    {
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      maxHeaderSize: limits.maxHeaderBytes,
    },
    app.express,
  );
  server.maxHeadersCount = limits.maxHeaders;
  const close = () =>
    new Promise<void>((resolve) => {
      // A kept connection becomes idle when its last answer is sent, and its client may keep it for minutes.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
      const cut = setTimeout(() => server.closeAllConnections(), limits.closeLimitMs);
      server.close(() => {
        clearInterval(idle);
        clearTimeout(cut);
        resolve();
      });
      server.closeIdleConnections();
    });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be bound: ${error.code}`;
      reject(new ConfigError(`PORT: ${host}:${port} ${reason}`));
    });
    server.listen(port, host, () => resolve({ server, port: (server.address() as AddressInfo).port, close }));
  });
}
