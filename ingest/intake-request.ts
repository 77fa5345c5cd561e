import type { Request, Response } from 'express';
import type { KeySource } from './formats/format.ts';
import type { IntakeRequest } from './intake.ts';
import { Problem } from './problem.ts';
import { isWaitedFor } from './sender-pace.ts';
import type { TokenGrant } from './token.ts';

/** Headers that formats read: attributes of CloudEvents in binary mode, and the id of a Firehose request. */
const READ_BY_FORMATS = /^(ce-.+|x-amz-firehose-request-id)$/;

/**
 * What an intake is told of an authenticated request whose body was read.
 * @param format undefined for `POST /v1/requests`
 * @throws {Problem} 400 for a place of the key that is none
 */
export function intakeRequest(req: Request, res: Response, format: string | undefined): IntakeRequest {
  return {
    format,
    body: Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0),
    contentType: mediaType(req),
    headers: format === undefined ? {} : formatHeaders(req),
    keySources: format === undefined ? [] : keySourcesOf(req),
    grant: res.locals.grant as TokenGrant,
    idempotencyKey: req.get('idempotency-key'),
    isWaitedFor: isWaitedFor(res),
    nowMs: Date.now(),
  };
}

export function mediaType(req: Request): string {
  return (req.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}

function formatHeaders(req: Request): Record<string, string> {
  const read = Object.entries(req.headers).filter(([name]) => READ_BY_FORMATS.test(name));
  return Object.fromEntries(read.map(([name, value]) => [name, String(value)]));
}

function keySourcesOf(req: Request): KeySource[] {
  const keySources: KeySource[] = [];
  const parameter = (name: string) => {
    const value = req.query[name];
    if (value === undefined) return '';
    if (typeof value !== 'string' || value === '' || value.length > 200) {
      throw new Problem(400, 'Bad request', `${name}: must be one name of at most 200 characters`);
    }
    return value;
  };
  const [field, header, jwtClaim] = [parameter('key_field'), parameter('key_header'), parameter('key_claim')];
  if (field) keySources.push({ field });
  if (header) keySources.push({ header });
  if (jwtClaim) keySources.push({ jwtClaim });
  return keySources;
}
