# Keytally for servers: Redis and ClickHouse run elsewhere, so the embedded engine (chdb, 540 MB) stays out.

FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# With everything: the compiler and the bundler are optional packages of this platform, and the sources need chdb's types.
# npm ci refuses a lock file that lacks other platforms' packages; npm install keeps every version it does list.
RUN npm ci --no-audit --no-fund || npm install --no-save --no-audit --no-fund
COPY . .
RUN node node_modules/typescript/bin/tsc -p tsconfig.json \
  && if [ -f dashboards/index.html ]; then node node_modules/vite/bin/vite.js build dashboards; fi

FROM node:22-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund \
  || npm install --no-save --omit=dev --omit=optional --no-audit --no-fund

FROM node:22-slim
# The last: see main.ts.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 UV_THREADPOOL_SIZE=12
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY workers/clickhouse/migrations workers/clickhouse/migrations
COPY workers/invariants.sql workers/invariants.sql
# Where a secret key is made when none is given. A new volume takes its owner from here.
RUN mkdir data && chown node:node data
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=64", "dist/main.js"]
CMD ["start"]
