/** What a mail server's answer to one recipient means. */
export type MailVerdict =
  | { result: 'sent' }
  /** This recipient may be tried again. */
  | { result: 'retry'; responseStatus: number; detail: string }
  /** This recipient can never be reached. */
  | { result: 'refused'; responseStatus: number; detail: string }
  /** The server itself is the trouble: the other recipients are not tried now. */
  | { result: 'server_trouble'; responseStatus: number; detail: string };

/** The fields of nodemailer's errors that decide; the text of the server is never kept. */
export interface MailError {
  code?: string;
  command?: string;
  responseCode?: number;
  /** Code of the socket or of TLS behind `code`. */
  originalCode?: string;
}

const LOGIN_CODES: ReadonlySet<string> = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2']);
/** 530 authentication required, 534 and 535 credentials or mechanism refused, 538 encryption needed (RFC 4954, section 6). */
const LOGIN_ANSWERS: ReadonlySet<number> = new Set([530, 534, 535, 538]);
const CLOSING = 421;

const REASON_BY_CODE: Readonly<Record<string, string>> = {
  ECONNECTION: 'the mail server closed the connection',
  ESOCKET: 'the mail server could not be reached',
  ETIMEDOUT: 'the mail server did not answer in time',
  EABORT: 'the mail server did not answer in time',
  EDNS: 'the name of the mail server (SMTP_URL) is not known to the DNS',
  ETLS: 'the encryption with the mail server failed',
  EPROTOCOL: 'the mail server does not speak SMTP as expected',
};

/** Class of a failed attempt to hand one mail to the server. */
export function classifyMailError(error: MailError): MailVerdict {
  const { code = '', command = '', responseCode = 0 } = error;
  const responseStatus = responseCode;
  if (LOGIN_CODES.has(code) || LOGIN_ANSWERS.has(responseCode)) {
    return { result: 'server_trouble', responseStatus, detail: 'the mail server refuses the login of SMTP_URL' };
  }
  if (responseCode === CLOSING) {
    return { result: 'server_trouble', responseStatus, detail: 'the mail server is not taking mail now (421)' };
  }
  if (responseCode >= 500) {
    const what = command === 'MAIL FROM' ? 'the mail server refuses the sender (MAIL_FROM)' : 'refused';
    return { result: 'refused', responseStatus, detail: `${what} with ${responseCode}` };
  }
  if (responseCode >= 400) return { result: 'retry', responseStatus, detail: `refused for now with ${responseCode}` };
  // Refused here, before the server was asked: such an address or a mail of this size can never be sent.
  if (code === 'EENVELOPE' || code === 'EMESSAGE') {
    return { result: 'refused', responseStatus, detail: 'not an address or a mail that can be sent' };
  }
  if (/CERT|SIGNATURE/.test(error.originalCode ?? '')) {
    return {
      result: 'server_trouble',
      responseStatus,
      detail: 'the TLS certificate of the mail server is not trusted',
    };
  }
  return {
    result: 'server_trouble',
    responseStatus,
    detail: REASON_BY_CODE[code] ?? 'the mail could not be handed over',
  };
}
