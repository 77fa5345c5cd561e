import { ClickHouseHttp } from '../support/clickhouse-http.ts';

/** The store of a chaos run in a process of its own, so that it can be killed: `node store-process.js FOLDER PORT`. */
const [folder, port] = process.argv.slice(2);
const server = new ClickHouseHttp(folder!, Number(port));
await server.start();
process.on('SIGTERM', () => {
  void server.stop().then(() => {
    server.close();
    process.exit(0);
  });
});
