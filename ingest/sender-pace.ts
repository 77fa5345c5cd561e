import type { Socket } from 'node:net';
import type { RequestHandler, Response } from 'express';

/** A sender whose next request comes sooner than this after an answer had it ready and waited. */
const READY_MS = 100;

const answeredAtMs = new WeakMap<Socket, number>();

/** Whether a sender waits for its answer before it sends more, by its previous request on the same connection. Pure. */
export function waitsForAnswer(sinceAnswerMs: number | undefined): boolean {
  return sinceAnswerMs === undefined || sinceAnswerMs < READY_MS;
}

/** Notes for {@link isWaitedFor} how long after the connection's last answer a request came. */
export const noteSenderPace: RequestHandler = (req, res, next) => {
  const { socket } = req;
  const last = answeredAtMs.get(socket);
  res.locals.isWaitedFor = waitsForAnswer(last === undefined ? undefined : performance.now() - last);
  res.once('finish', () => answeredAtMs.set(socket, performance.now()));
  next();
};

/** Whether the sender of this request is held up by a late answer. */
export function isWaitedFor(res: Response): boolean {
  return res.locals.isWaitedFor !== false;
}
