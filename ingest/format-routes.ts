import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { firehoseReply } from './formats/firehose.ts';
import type { Format } from './formats/format.ts';
import { otlpReply, rejectSummary } from './formats/otlp-reply.ts';
import { FORMAT_NAMES, formatByName } from './formats/registry.ts';
import type { Intake, IntakeAnswer } from './intake.ts';
import { intakeRequest, mediaType } from './intake-request.ts';
import { Problem } from './problem.ts';

/**
 * Routes for what gateways send unmodified. Where the key stands in a gateway's record can be said in the URL:
 * `?key_field=consumer.username`, `?key_header=x-api-key` (a raw key, hashed at once), `?key_claim=sub`.
 *
 * @param before authentication, limits and the body's reading, as for every ingest route
 */
export function formatRoutes(intake: Intake, before: RequestHandler[]): Router {
  const router = express.Router();
  // Vector asks HEAD before it sends anything and wants exactly 200.
  router.head('/v1/ingest/:format', (req, res) => void res.status(formatByName(req.params.format) ? 200 : 404).end());
  router.post('/v1/ingest/:format', ...before, (req, res) =>
    postFormat(intake, named(req.params.format as string), req, res),
  );
  router.post('/v1/traces', ...before, (req, res) => postOtlp(intake, named('otlp-traces'), req, res));
  router.post('/v1/logs', ...before, (req, res) => postOtlp(intake, named('otlp-logs'), req, res));
  return router;
}

function named(name: string): Format {
  const format = formatByName(name);
  if (!format)
    throw new Problem(404, 'Unknown format', `there is no format "${name}"; known: ${FORMAT_NAMES.join(', ')}`);
  return format;
}

async function postFormat(intake: Intake, format: Format, req: Request, res: Response): Promise<void> {
  if (format.name === 'firehose') {
    await postFirehose(intake, format, req, res);
    return;
  }
  const answer = await take(intake, format, req, res);
  res.status(202).json(answer);
}

/** Firehose reads its own reply shape, of errors too, and repeats a request until it gets one. */
async function postFirehose(intake: Intake, format: Format, req: Request, res: Response): Promise<void> {
  const nowMs = Date.now();
  const requestId = req.get('x-amz-firehose-request-id') ?? '';
  try {
    await take(intake, format, req, res);
    res.status(200).json(firehoseReply(requestId, nowMs));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    res
      .status(error.status)
      .set(error.headers)
      .json(firehoseReply(requestId, nowMs, error.detail));
  }
}

async function postOtlp(intake: Intake, format: Format, req: Request, res: Response): Promise<void> {
  const answer = await take(intake, format, req, res).catch((error) => {
    // A payload of rejected spans is a partial success to OTLP: an exporter must not send it again.
    const rejected = error instanceof Problem && error.status === 400 ? Number(error.extra.rejected ?? 0) : 0;
    if (rejected === 0) throw error;
    return { rejected, errors: (error as Problem).extra.errors as IntakeAnswer['errors'] };
  });
  const kind = format.name === 'otlp-traces' ? 'traces' : 'logs';
  const reply = otlpReply(mediaType(req), kind, answer.rejected, rejectSummary(answer.errors));
  res.status(200).set('Content-Type', reply.contentType).send(reply.body);
}

async function take(intake: Intake, format: Format, req: Request, res: Response): Promise<IntakeAnswer> {
  const request = intakeRequest(req, res, format.name);
  if (request.body.length === 0) throw new Problem(400, 'Empty body', 'the request has no body');
  return intake.take(request);
}
