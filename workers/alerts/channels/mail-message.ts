import { createHash } from 'node:crypto';
import type { SendMailOptions } from 'nodemailer';
import type { AlertMessage } from './channel.ts';
import { chartPng } from './message/chart-png.ts';
import { cleanText } from './message/foreign-text.ts';
import { mailHtml } from './message/mail-html.ts';
import { mailText } from './message/mail-text.ts';
import type { MessageModel } from './message/model.ts';

/** What one mail is made of. */
export interface MailParts {
  message: AlertMessage;
  model: MessageModel;
  /** MAIL_FROM. */
  from: string;
  recipient: string;
  channelName: string;
  /** Address that ends these mails by one POST; undefined without PUBLIC_URL. */
  unsubscribe: string | undefined;
  /** Time of this attempt: a mail that was held overnight must not hide among those of the night. */
  sentAtMs: number;
}

/**
 * One mail to one recipient. The same parts make the same Message-ID, so that a repeat is recognised; all mails of one
 * opening refer to the same root that was never sent, so that programs show them as one conversation without any state here.
 */
export function mailMessage(parts: MailParts): SendMailOptions {
  const { message, model, recipient, unsubscribe } = parts;
  const domain = domainOf(parts.from);
  const root = `<thread.${idPart(message.threadId)}@${domain}>`;
  const charts = model.sections.map((section, index) =>
    section.chart
      ? { cid: `chart${index}.${idPart(message.messageId)}@${domain}`, png: chartPng(section.chart, section.tone) }
      : undefined,
  );
  const html = mailHtml(model, {
    chartCid: (index) => charts[index]?.cid,
    channelName: cleanText(parts.channelName, 80),
    unsubscribe,
  });
  return {
    from: parts.from,
    to: { name: '', address: recipient },
    subject: model.subject,
    messageId: `<${idPart(message.messageId)}.${recipientPart(recipient)}@${domain}>`,
    inReplyTo: root,
    references: root,
    date: new Date(parts.sentAtMs),
    text: mailText(model, unsubscribe),
    html,
    attachments: charts.flatMap((chart, index) =>
      chart
        ? [
            {
              cid: chart.cid,
              content: chart.png,
              contentType: 'image/png',
              filename: `chart-${index + 1}.png`,
              contentDisposition: 'inline' as const,
            },
          ]
        : [],
    ),
    headers: headersOf(unsubscribe),
    // Text of a message must never make this process read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** RFC 3834 keeps vacation replies away; RFC 8058 makes leaving one click of the mail program, by POST only. */
function headersOf(unsubscribe: string | undefined): Record<string, string> {
  const common = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' };
  if (!unsubscribe) return common;
  return { ...common, 'List-Unsubscribe': `<${unsubscribe}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
}

/** Headers that DKIM covers. RFC 8058 asks for both List-Unsubscribe headers, which no default list has. */
export const DKIM_HEADERS =
  'From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Content-Transfer-Encoding:In-Reply-To:References:' +
  'Auto-Submitted:List-Unsubscribe:List-Unsubscribe-Post';

/** Only what may stand left of the @ of a Message-ID without quotes (RFC 5322, dot-atom). */
const idPart = (id: string): string => id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);

/** Tells the mails of one message apart without writing an address into another's mail. */
function recipientPart(recipient: string): string {
  return createHash('sha256').update(recipient.toLowerCase()).digest('hex').slice(0, 12);
}

/** Domain of `Name <address>` or of a bare address. */
function domainOf(from: string): string {
  return /@([^\s@<>]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
}
