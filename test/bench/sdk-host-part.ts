/**
 * A small Express application, without the SDK or with it.
 *
 * usage: node sdk-host-part.js <address of Keytally, or none>
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { keytally } from '../../ingest/sender.ts';

const [url] = process.argv.slice(2) as [string];
const app = express();
app.get('/cpu', (_req, res) => {
  const { user, system } = process.cpuUsage();
  res.send(String(user + system));
});
if (url !== 'none') app.use(keytally({ url, token: 'kt_x' }));
app.use(express.json());
app.get('/users/:id', (req, res) => void res.json({ id: req.params.id, name: 'Ada', roles: ['admin', 'billing'] }));
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
