import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import type { ChannelSender } from '../../../../workers/alerts/channels/channel.ts';
import { createSender, type SenderOptions } from '../../../../workers/alerts/channels/send.ts';
import { SAMPLE_KEYS } from './sample-messages.ts';

/** A sender for one test, configured as by environment variables. What it logs is kept. */
export function testSender(
  env: Record<string, string>,
  options: SenderOptions = {},
): ChannelSender & { log: string[] } {
  const log: string[] = [];
  const config = parseConfig({ PUBLIC_URL: 'https://keytally.example.com', ...env });
  const sender = createSender(config, pino({}, { write: (line) => void log.push(line) }), SAMPLE_KEYS, options);
  onTestFinished(() => sender.close());
  return { ...sender, log };
}
