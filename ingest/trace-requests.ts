import type { NextFunction, Request, Response } from 'express';
import { beginSpan, isTracing } from './tracing.ts';

/**
 * A span per ingest request, from when its body has arrived until it is answered. A gateway that sends a traceparent makes it part
 * of its own trace. Neither address, token nor query stand in it.
 */
export function traceRequest(req: Request, res: Response, next: NextFunction): void {
  if (!isTracing()) {
    next();
    return;
  }
  const route = String(req.route?.path ?? '');
  const attributes = { 'http.request.method': req.method, 'http.route': route };
  beginSpan(`${req.method} ${route}`, { kind: 'SERVER', attributes, parent: req.get('traceparent') }, (end) => {
    res.once('close', () => end({ 'http.response.status_code': res.statusCode }, res.statusCode >= 500));
    next();
  });
}
