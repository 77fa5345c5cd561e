import { describe, expect, test } from 'vitest';
import { RefusedTarget } from '../../../../workers/alerts/channels/address-guard.ts';
import { mailOutcome } from '../../../../workers/alerts/channels/email.ts';
import {
  type HttpChannelType,
  outcomeOfAnswer,
  outcomeOfError,
} from '../../../../workers/alerts/channels/http-outcome.ts';
import { classifyMailError, type MailVerdict } from '../../../../workers/alerts/channels/mail-outcome.ts';
import { PostTimeout } from '../../../../workers/alerts/channels/post.ts';

const NOW = Date.parse('2026-11-21T14:00:00Z');

describe('answers of receivers', () => {
  const rows: [HttpChannelType, number, string][] = [
    ['webhook', 200, 'sent'],
    ['webhook', 204, 'sent'],
    ['webhook', 299, 'sent'],
    ['webhook', 301, 'failed'],
    ['webhook', 302, 'failed'],
    ['webhook', 304, 'failed'],
    ['webhook', 308, 'failed'],
    ['webhook', 400, 'retry'],
    ['webhook', 401, 'retry'],
    ['webhook', 404, 'retry'],
    ['webhook', 410, 'disable'],
    ['webhook', 413, 'retry'],
    ['webhook', 429, 'retry'],
    ['webhook', 500, 'retry'],
    ['webhook', 502, 'retry'],
    ['webhook', 503, 'retry'],
    ['webhook', 504, 'retry'],
    ['webhook', 599, 'retry'],
    ['webhook', 101, 'retry'],
    ['webhook', 0, 'retry'],
    ['slack', 200, 'sent'],
    ['slack', 302, 'failed'],
    ['slack', 400, 'failed'],
    ['slack', 403, 'failed'],
    ['slack', 404, 'failed'],
    ['slack', 410, 'disable'],
    ['slack', 429, 'retry'],
    ['slack', 500, 'retry'],
    ['pagerduty', 202, 'sent'],
    ['pagerduty', 400, 'failed'],
    ['pagerduty', 429, 'retry'],
    ['pagerduty', 500, 'retry'],
    ['teams', 202, 'sent'],
    ['teams', 400, 'failed'],
    ['teams', 429, 'retry'],
    ['discord', 204, 'sent'],
    ['discord', 400, 'failed'],
    ['discord', 404, 'disable'],
    ['discord', 429, 'retry'],
  ];
  test.each(rows)('%s %i: %s', (type, status, result) => {
    const outcome = outcomeOfAnswer(type, { status, retryAfter: undefined }, NOW);
    expect(outcome).toMatchObject({ result, responseStatus: status });
    expect(outcome).not.toHaveProperty('afterMs');
    if (result !== 'sent') expect(outcome.detail).toContain(String(status));
  });

  test.each([429, 502, 503, 504])('%i keeps the pause that the receiver names', (status) => {
    expect(outcomeOfAnswer('webhook', { status, retryAfter: '120' }, NOW)).toMatchObject({ afterMs: 120_000 });
  });

  test.each([400, 500])('%i has no pause to keep', (status) => {
    expect(outcomeOfAnswer('webhook', { status, retryAfter: '120' }, NOW)).not.toHaveProperty('afterMs');
  });
});

describe('attempts without an answer', () => {
  const error = (code: string) => Object.assign(new Error('10.1.2.3:443 internal.example'), { code });
  test.each([
    ['a private address', new RefusedTarget('hooks.example points to a private address'), 'failed', /private/],
    ['no answer in time', new PostTimeout('late'), 'retry', /in time/],
    ['unknown name', error('ENOTFOUND'), 'retry', /not known to the DNS/],
    ['DNS away', error('EAI_AGAIN'), 'retry', /DNS did not answer/],
    ['refused', error('ECONNREFUSED'), 'retry', /nothing listens/],
    ['reset', error('ECONNRESET'), 'retry', /broke off/],
    ['self-signed', error('DEPTH_ZERO_SELF_SIGNED_CERT'), 'retry', /signed by itself/],
    ['expired', error('CERT_HAS_EXPIRED'), 'retry', /has expired/],
    ['wrong name', error('ERR_TLS_CERT_ALTNAME_INVALID'), 'retry', /another name/],
    ['endless head', error('HPE_HEADER_OVERFLOW'), 'retry', /too long/],
    ['not HTTP', error('HPE_INVALID_CONSTANT'), 'retry', /not speak HTTP/],
    ['several addresses', new AggregateError([error('ECONNREFUSED')]), 'retry', /nothing listens/],
    ['something else', error('E_NEW'), 'retry', /connection failed/],
    ['no error at all', new Error('10.1.2.3'), 'retry', /connection failed/],
  ] as const)('%s', (_, given, result, detail) => {
    const outcome = outcomeOfError(given);
    expect(outcome).toMatchObject({ result, responseStatus: 0 });
    expect(outcome.detail).toMatch(detail);
    expect(outcome.detail).not.toMatch(/10\.1\.2\.3|internal/);
  });
});

describe('answers of mail servers', () => {
  test.each([
    [{ code: 'EAUTH', responseCode: 535 }, 'server_trouble', /login of SMTP_URL/],
    [{ code: 'ENOAUTH' }, 'server_trouble', /login of SMTP_URL/],
    [{ code: 'EENVELOPE', responseCode: 530, command: 'MAIL FROM' }, 'server_trouble', /login/],
    [{ code: 'ECONNECTION' }, 'server_trouble', /closed the connection/],
    [{ code: 'ESOCKET' }, 'server_trouble', /could not be reached/],
    [{ code: 'ETIMEDOUT' }, 'server_trouble', /in time/],
    [{ code: 'EABORT' }, 'server_trouble', /in time/],
    [{ code: 'EDNS' }, 'server_trouble', /SMTP_URL/],
    [{ code: 'ETLS' }, 'server_trouble', /encryption/],
    [{ code: 'ESOCKET', originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'server_trouble', /certificate/],
    [{ code: 'EENVELOPE', responseCode: 421, command: 'RCPT TO' }, 'server_trouble', /421/],
    [{ code: 'EENVELOPE', responseCode: 450, command: 'RCPT TO' }, 'retry', /450/],
    [{ code: 'EMESSAGE', responseCode: 452, command: 'DATA' }, 'retry', /452/],
    [{ code: 'EENVELOPE', responseCode: 550, command: 'RCPT TO' }, 'refused', /550/],
    [{ code: 'EENVELOPE', responseCode: 553, command: 'MAIL FROM' }, 'refused', /MAIL_FROM/],
    [{ code: 'EMESSAGE', responseCode: 554, command: 'DATA' }, 'refused', /554/],
    [{ code: 'EENVELOPE' }, 'refused', /not an address/],
    [{}, 'server_trouble', /handed over/],
  ])('%j: %s', (error, result, detail) => {
    const verdict = classifyMailError(error);
    expect(verdict.result).toBe(result);
    expect((verdict as { detail: string }).detail).toMatch(detail);
  });

  const SENT: MailVerdict = { result: 'sent' };
  const later: MailVerdict = { result: 'retry', responseStatus: 450, detail: 'refused for now with 450' };
  const never: MailVerdict = { result: 'refused', responseStatus: 550, detail: 'refused with 550' };
  const down: MailVerdict = {
    result: 'server_trouble',
    responseStatus: 0,
    detail: 'the mail server could not be reached',
  };
  const rows: [string, MailVerdict[], number, object][] = [
    ['all arrived', [SENT, SENT], 0, { result: 'sent', responseStatus: 250 }],
    [
      'one for later',
      [SENT, later],
      0,
      { result: 'retry', responseStatus: 450, detail: 'b: refused for now with 450' },
    ],
    ['one for good', [SENT, never], 0, { result: 'sent', responseStatus: 250, detail: 'b: refused with 550' }],
    [
      'one for good, one for later',
      [never, later],
      0,
      { result: 'retry', responseStatus: 450, detail: 'b: refused for now with 450' },
    ],
    [
      'both for good',
      [never, never],
      0,
      { result: 'failed', responseStatus: 550, detail: 'a: refused with 550; b: refused with 550' },
    ],
    ['server down', [down], 0, { result: 'retry', responseStatus: 0, detail: 'the mail server could not be reached' }],
    [
      'down after one',
      [SENT, down],
      0,
      { result: 'retry', responseStatus: 0, detail: 'the mail server could not be reached' },
    ],
    ['nobody', [], 0, { result: 'failed', responseStatus: 0, detail: 'nobody is left to write to' }],
    [
      'no usable address',
      [],
      2,
      { result: 'failed', responseStatus: 0, detail: '2 of the addresses cannot be written to' },
    ],
    [
      'one unusable',
      [SENT],
      1,
      { result: 'sent', responseStatus: 250, detail: '1 of the addresses cannot be written to' },
    ],
  ];
  test.each(rows)('together: %s', (_, verdicts, bad, expected) => {
    const names = ['a', 'b'];
    const results = new Map(verdicts.map((verdict, index) => [names[index]!, verdict]));
    expect(mailOutcome(results, { good: names.slice(0, verdicts.length), bad })).toEqual(expected);
  });
});
