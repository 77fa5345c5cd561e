import { retryAfterMs } from '../../../ingest/retry-after.ts';
import { RefusedTarget } from './address-guard.ts';
import type { ChannelType, DeliveryOutcome } from './channel.ts';
import { type PostAnswer, PostTimeout } from './post.ts';

export type HttpChannelType = Exclude<ChannelType, 'email'>;

/** A receiver that asks for a longer pause is asked again after this: the longest step of Standard Webhooks. */
const RETRY_AFTER_MAX_MS = 24 * 60 * 60_000;

/** Answers that say "not now"; a pause the receiver names is kept. */
const PAUSE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const GONE = 410;

/**
 * Answers that no repeat cures. Chats and PagerDuty document them (a channel that was archived, a key that is wrong);
 * Standard Webhooks asks to repeat everything but 2xx and 410, because an owner repairs a receiver within days.
 */
const FINAL: Readonly<Record<HttpChannelType, ReadonlySet<number>>> = {
  webhook: new Set(),
  slack: new Set([400, 401, 403, 404]),
  pagerduty: new Set([400, 401, 403, 404]),
  teams: new Set([400, 401, 403, 404]),
  discord: new Set([400, 401, 403]),
};
/** Discord answers 404 when the webhook was deleted, and asks not to be called again. */
const DISABLE: Readonly<Record<HttpChannelType, ReadonlySet<number>>> = {
  webhook: new Set([GONE]),
  slack: new Set([GONE]),
  pagerduty: new Set([GONE]),
  teams: new Set([GONE]),
  discord: new Set([404, GONE]),
};

/** What an answer means. */
export function outcomeOfAnswer(type: HttpChannelType, answer: PostAnswer, nowMs: number): DeliveryOutcome {
  const { status } = answer;
  const responseStatus = status;
  if (status >= 200 && status < 300) return { result: 'sent', responseStatus };
  if (DISABLE[type].has(status)) {
    return { result: 'disable', responseStatus, detail: `the receiver answered ${status}: it is gone for good` };
  }
  if (status >= 300 && status < 400) {
    return {
      result: 'failed',
      responseStatus,
      detail: `the receiver answered ${status}, a redirect, and redirects are not followed: enter the final address`,
    };
  }
  if (FINAL[type].has(status)) {
    return { result: 'failed', responseStatus, detail: `the receiver refused the message with ${status}` };
  }
  const afterMs = PAUSE.has(status) ? retryAfterMs(answer.retryAfter, nowMs, RETRY_AFTER_MAX_MS) : undefined;
  const detail = `the receiver answered ${status}`;
  return { result: 'retry', responseStatus, detail, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** In our words: the text of an error can hold addresses of the inside. */
const REASON_BY_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known to the DNS',
  EAI_AGAIN: 'the DNS did not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke off',
  EPIPE: 'the connection broke off',
  ETIMEDOUT: 'it could not be reached in time',
  EHOSTUNREACH: 'it could not be reached',
  ENETUNREACH: 'it could not be reached',
  EPROTO: 'it does not speak TLS as expected',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  CERT_NOT_YET_VALID: 'its TLS certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate is not signed by a known authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its TLS certificate is not signed by a known authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its TLS certificate is not signed by a known authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its TLS certificate is not signed by a known authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate belongs to another name',
  HPE_HEADER_OVERFLOW: 'the head of its answer is too long',
};

/** What an attempt without an answer means. */
export function outcomeOfError(error: unknown): DeliveryOutcome {
  if (error instanceof RefusedTarget) return { result: 'failed', responseStatus: 0, detail: error.message };
  if (error instanceof PostTimeout) {
    return { result: 'retry', responseStatus: 0, detail: 'the receiver did not answer in time' };
  }
  const reason = codesOf(error)
    .map((code) => REASON_BY_CODE[code] ?? (code.startsWith('HPE_') ? 'it does not speak HTTP' : undefined))
    .find((text) => text !== undefined);
  return {
    result: 'retry',
    responseStatus: 0,
    detail: `no answer from the receiver: ${reason ?? 'the connection failed'}`,
  };
}

/** Several addresses tried at once fail as an AggregateError that keeps the causes inside. */
function codesOf(error: unknown): string[] {
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  const inner = Array.isArray(errors) ? errors.flatMap(codesOf) : [];
  return typeof code === 'string' ? [code, ...inner] : inner;
}
