/** Keytally as a host's sender sees it, for as little CPU as can be: takes every POST and looks into none. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const ANSWER = '{"accepted":1,"rejected":0,"errors":[]}';

const receiver = createServer((req, res) => {
  req.resume();
  req.on('end', () => res.writeHead(202, { 'Content-Type': 'application/json' }).end(ANSWER));
});
receiver.listen(0, '127.0.0.1', () => {
  const { port } = receiver.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
