import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  from: string;
  to: string[];
  raw: Buffer;
  mail: Email;
}

export interface MailReceiver {
  url: string;
  mails: ReceivedMail[];
  /** Answers for one recipient: number and text; absent = accepted. */
  refuse: Map<string, [number, string]>;
  close(): Promise<void>;
}

/** A real SMTP server on the loopback that keeps what it is handed. */
export async function startMailReceiver(options: SMTPServerOptions = {}): Promise<MailReceiver> {
  const mails: ReceivedMail[] = [];
  const refuse: MailReceiver['refuse'] = new Map();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    closeTimeout: 100,
    onRcptTo(address, _session, done) {
      const answer = refuse.get(address.address);
      done(answer ? Object.assign(new Error(answer[1]), { responseCode: answer[0] }) : undefined);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks);
        const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
        const to = session.envelope.rcptTo.map((one) => one.address);
        mails.push({ from, to, raw, mail: await PostalMime.parse(raw) });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export const headerOf = ({ mail }: ReceivedMail, name: string): string | undefined =>
  mail.headers.find((header) => header.key === name)?.value;
