import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../../../ingest/package-root.ts';
import type { AlertMessage } from '../../../../workers/alerts/channels/channel.ts';
import { cleanText } from '../../../../workers/alerts/channels/message/foreign-text.ts';
import { mailHtml } from '../../../../workers/alerts/channels/message/mail-html.ts';
import { BROWSER_PATH, launchBrowser } from '../../../support/browser.ts';
import { HOSTILE_TEXTS, hostileNotice } from './hostile-text.ts';
import { type MailReceiver, startMailReceiver } from './mail-receiver.ts';
import { everyMessage, sampleChannel, sampleMessage, sampleModel, sampleNotice } from './sample-messages.ts';
import { testSender } from './senders.ts';

/** Where the pictures go; those of docs/pictures are copied from here. */
const PICTURES = join(packageRoot(), 'test/output/mails');
const WIDTHS = { wide: 680, phone: 360 } as const;

const SHOWN: Record<string, AlertMessage> = {
  'mail-error-rate': sampleMessage([sampleNotice('error_rate')]),
  'mail-near-limit': sampleMessage([sampleNotice('near_limit')]),
  'mail-key-expiring': sampleMessage([sampleNotice('key_expiring')]),
};
const ALSO: Record<string, AlertMessage> = {
  group: sampleMessage([sampleNotice('error_rate'), sampleNotice('latency')]),
  digest: everyMessage().find(([title]) => title === 'digest')![1],
  hostile: sampleMessage([hostileNotice('error_rate')]),
  test: sampleMessage([], { reason: 'test' }),
};

describe.runIf(BROWSER_PATH !== '')('mails in Chromium, as they arrived over SMTP', () => {
  let browser: Browser;
  let receiver: MailReceiver;
  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    [browser, receiver] = await Promise.all([launchBrowser(), startMailReceiver()]);
  });
  afterAll(async () => {
    await browser.close();
    await receiver.close();
  });

  test.each(Object.entries({ ...SHOWN, ...ALSO }))('%s fits a phone and loads nothing', async (title, message) => {
    const sender = testSender({ SMTP_URL: receiver.url, MAIL_FROM: 'Keytally <alerts@keytally.example.com>' });
    const channel = sampleChannel({
      type: 'email',
      settings: { to: ['ops@acme.example'], timezone: 'Europe/Stockholm' },
    });
    expect(await sender.send(channel, message)).toEqual({ result: 'sent', responseStatus: 250 });
    const { mail } = receiver.mails.at(-1)!;
    const html = mail.attachments.reduce(
      (text, { contentId, content }) =>
        text.replaceAll(
          `cid:${contentId!.replace(/[<>]/g, '')}`,
          `data:image/png;base64,${Buffer.from(content as ArrayBuffer).toString('base64')}`,
        ),
      mail.html!,
    );
    for (const [name, width] of Object.entries(WIDTHS)) {
      const page = await browser.newPage({ viewport: { width, height: 600 }, deviceScaleFactor: 2 });
      const requests: string[] = [];
      const dialogs: string[] = [];
      page.on('request', (request) => void (request.url().startsWith('data:') || requests.push(request.url())));
      page.on('dialog', (dialog) => void dialogs.push(dialog.message()));
      await page.setContent(html);
      const seen = await page.evaluate(() => ({
        width: document.documentElement.scrollWidth,
        scripts: document.scripts.length,
        pictures: [...document.images].map((image) => image.naturalWidth),
      }));
      await page.screenshot({ path: join(PICTURES, `${title}-${name}.png`), fullPage: true });
      await page.close();
      expect(seen).toMatchObject({ scripts: 0 });
      expect(seen.width).toBeLessThanOrEqual(width);
      expect(seen.pictures).toEqual(mail.attachments.map(() => 1040));
      expect([requests, dialogs]).toEqual([[], []]);
    }
  });

  test('hostile texts make no element, no attribute and no address', async () => {
    const page = await browser.newPage();
    const structureOf = async (text: string) => {
      const notices = [hostileNotice('error_rate', text), hostileNotice('key_leaked', text)];
      const html = mailHtml(sampleModel(sampleMessage(notices)), {
        chartCid: () => 'chart',
        channelName: cleanText(text, 80),
        unsubscribe: 'https://keytally.example.com/u',
      });
      await page.setContent(html);
      return page.evaluate(() =>
        [...document.querySelectorAll('*')]
          .filter((element) => element.tagName !== 'WBR')
          .map((element) => `${element.tagName} ${element.getAttributeNames().join(' ')}`),
      );
    };
    const benign = await structureOf('harmless');
    expect(benign.length).toBeGreaterThan(100);
    // A reason of blanks is left out, and its row with it.
    for (const text of HOSTILE_TEXTS.filter((one) => one.trim() !== ''))
      expect(await structureOf(text), text.slice(0, 60)).toEqual(benign);
    await page.close();
  });
});
