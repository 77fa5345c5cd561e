import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { AlertEvent, AlertEvidence, AlertKind } from '../../../../workers/alerts/alert.ts';
import { blockLine, MAX_BARS } from '../../../../workers/alerts/channels/message/chart.ts';
import { chartPng } from '../../../../workers/alerts/channels/message/chart-png.ts';
import {
  formatCount,
  formatDuration,
  formatMs,
  formatRatio,
  formatTimes,
} from '../../../../workers/alerts/channels/message/figures.ts';
import { cleanText, cleanValue } from '../../../../workers/alerts/channels/message/foreign-text.ts';
import { mailText } from '../../../../workers/alerts/channels/message/mail-text.ts';
import { plain } from '../../../../workers/alerts/channels/message/phrase.ts';
import { givenUpNotice } from '../../../../workers/alerts/delivery/channel-notice.ts';
import type { Channel } from '../../../../workers/alerts/delivery/channels.ts';
import type { EndReason } from '../../../../workers/alerts/end-reason.ts';
import {
  EVIDENCE,
  everyMessage,
  NOW_MS,
  resolvedEvent,
  sampleMessage,
  sampleModel,
  sampleNotice,
} from './sample-messages.ts';

const leadOf = (kind: AlertKind, evidence: Partial<AlertEvidence> = {}) =>
  plain(
    sampleModel(sampleMessage([sampleNotice(kind, { evidence: { ...EVIDENCE[kind], ...evidence } })])).sections[0]!
      .lead,
  );
const limit = (change: Partial<NonNullable<AlertEvidence['limit']>>) => ({
  limit: { ...EVIDENCE.near_limit.limit!, ...change },
});

describe('the first sentence', () => {
  const rows: [AlertKind, Partial<AlertEvidence>, string][] = [
    ['error_rate', {}, '31% of the requests of key Billing sync have failed since 14:05 UTC; usually it is 0.4%.'],
    ['error_rate', { expected: undefined }, '31% of the requests of key Billing sync have failed since 14:05 UTC.'],
    ['error_rate', { value: undefined }, 'Key Billing sync: 31% of the requests failed, usually 0.4%.'],
    ['traffic_anomaly', {}, 'Key Billing sync has sent 14 times its usual requests since 14:05 UTC.'],
    [
      'traffic_anomaly',
      { windowMinutes: 180 },
      'Key Billing sync has sent 14 times its usual requests since 11:15 UTC.',
    ],
    [
      'traffic_anomaly',
      { value: 30, direction: 'drop' },
      'Key Billing sync has sent only 7.1% of its usual requests since 14:05 UTC.',
    ],
    [
      'traffic_anomaly',
      { value: 0, direction: 'silence', windowMinutes: 135 },
      'Key Billing sync has sent nothing since 12:00 UTC; it should have sent about 424 requests by now.',
    ],
    [
      'traffic_anomaly',
      { expected: 0 },
      'Key Billing sync has sent 5,936 requests since 14:05 UTC, at an hour when it usually sends none.',
    ],
    [
      'latency',
      {},
      'The slowest 5% of the requests of key Billing sync have taken 2.4 s or more since 14:05 UTC, 3 times the usual 803 ms.',
    ],
    ['new_country', {}, 'Key Billing sync was used from Brazil for the first time: 42 requests since 14:05 UTC.'],
    [
      'new_country',
      { country: '<b>' },
      'Key Billing sync was used from an unknown country for the first time: 42 requests since 14:05 UTC.',
    ],
    ['country_mix', {}, 'Since 13:15 UTC the requests of key Billing sync come from other countries than usual.'],
    [
      'near_limit',
      {},
      'Key Billing sync has used 90% of its daily limit: 9,034 of 10,000 requests. At this pace it is full at 15:48 UTC.',
    ],
    [
      'near_limit',
      limit({ used: 9_999, fullAt: undefined }),
      'Key Billing sync has used 99% of its daily limit: 9,999 of 10,000 requests.',
    ],
    [
      'near_limit',
      limit({ used: 10_400 }),
      'Key Billing sync has reached its daily limit: 10,400 of 10,000 requests. Further requests may be refused.',
    ],
    [
      'near_limit',
      limit({ period: 'minute', used: 54, limit: 60, fullAt: undefined }),
      'Key Billing sync has used 90% of its per-minute limit: 54 of 60 requests.',
    ],
    ['key_expiring', {}, 'Key Billing sync expires in 7 days, on Sat 28 Nov at 09:00 UTC.'],
    [
      'key_expiring',
      { key: { expires_at: '2026-11-22T01:00:00Z' } },
      'Key Billing sync expires tomorrow, on Sun 22 Nov at 01:00 UTC.',
    ],
    ['key_expiring', { key: { expires_at: '2026-11-21T23:00:00Z' } }, 'Key Billing sync expires today, at 23:00 UTC.'],
    ['key_expiring', { key: {} }, 'Key Billing sync expires soon.'],
    ['key_expired', {}, 'Key Billing sync expired at 14:05 UTC. Gateways that ask Keytally refuse it.'],
    ['key_deactivated', {}, 'Key Billing sync was deactivated: policy "unused": no request for 180 days.'],
    ['key_unused', {}, 'Key Billing sync has not been used for 185 days.'],
    ['rotation_due', {}, 'The secret of key Billing sync is 93 days old and due for rotation.'],
    ['key_leaked', {}, 'The secret of key Billing sync was found in public: found in a public repository.'],
    [
      'platform',
      {},
      '312 of 4,016 active keys have shown failing requests at the same time since 14:10 UTC. That points at the platform rather than at the keys.',
    ],
  ];
  test.each(rows)('%s %j', (kind, evidence, sentence) => {
    expect(leadOf(kind, evidence)).toBe(sentence);
  });

  test.each([
    ['error_rate', 'Requests of key Billing sync succeed as usual again, after 1 h 20 min.'],
    ['traffic_anomaly', 'Key Billing sync sends its usual number of requests again, after 1 h 20 min.'],
    ['latency', 'Requests of key Billing sync are as fast as usual again, after 1 h 20 min.'],
    ['platform', 'The keys are back to normal, after 1 h 15 min.'],
    ['key_unused', 'The alert for key Billing sync about an unused key is over, after 1 h 10 min.'],
  ] as const)('%s is over', (kind, sentence) => {
    const model = sampleModel(sampleMessage([sampleNotice(kind, resolvedEvent)], { reason: 'resolved' }));
    expect(plain(model.sections[0]!.lead)).toBe(sentence);
    expect(model).toMatchObject({ tone: 'good', badge: 'Resolved' });
    expect(model.subject).toMatch(/^Resolved: /);
    // Nothing is left to acknowledge.
    expect(model.sections[0]!.links.acknowledge).toBeUndefined();
  });
});

describe('an end that is no recovery claims none', () => {
  const ends: [AlertKind, Partial<AlertEvent>, EndReason, string][] = [
    [
      'traffic_anomaly',
      {},
      'inactive',
      'The alert for key Billing sync about unusual traffic is over, after 1 h 20 min: the key is not active any more.',
    ],
    [
      'error_rate',
      {},
      'rule_off',
      'The alert for key Billing sync about failing requests is over, after 1 h 20 min: its rule does not ask for it any more.',
    ],
    [
      'latency',
      {},
      'unheard',
      'The alert for key Billing sync about slow answers is over, after 1 h 20 min: for a day too little was known to judge it.',
    ],
    [
      'near_limit',
      {},
      'window_over',
      'The alert for key Billing sync about use near the limit is over, after 1 h 10 min: the count has started anew.',
    ],
    [
      'near_limit',
      {},
      'no_limit',
      'The alert for key Billing sync about use near the limit is over, after 1 h 10 min: there is no such limit any more.',
    ],
    [
      'platform',
      {},
      'rule_off',
      'The alert about many keys at once is over, after 1 h 15 min: its rule does not ask for it any more.',
    ],
    [
      'platform',
      { scope: 'silence' },
      'rule_off',
      'The alert about missing reports is over, after 1 h 15 min: its rule does not ask for it any more.',
    ],
    ['near_limit', {}, 'recovered', 'Key Billing sync is well below its limit again, after 1 h 10 min.'],
  ];
  test.each(ends)('%s %j, %s', (kind, change, ended, sentence) => {
    const evidence = { ...EVIDENCE[kind], ended };
    const model = sampleModel(sampleMessage([sampleNotice(kind, { ...resolvedEvent, ...change, evidence })]));
    const [section] = model.sections;
    expect(plain(section!.lead)).toBe(sentence);
    // What is measured by then says nothing of why it is over.
    expect(section!.facts.map((fact) => fact.label).includes('Now')).toBe(false);
    expect(mailText(model, undefined)).toContain(sentence);
  });
});

describe('what is told under a kind, but is something else', () => {
  const textOf = (kind: AlertKind, change: Parameters<typeof sampleNotice>[1]) => {
    const model = sampleModel(sampleMessage([sampleNotice(kind, change)]));
    return { ...model, text: mailText(model, undefined) };
  };

  test('a key that will be deactivated is not said to be deactivated', () => {
    const data = {
      acts_at: '2026-11-28T09:00:00Z',
      because: '61.0 % of 400 requests were answered 4xx',
      policy: 'Abuse',
    };
    const { subject, text } = textOf('key_deactivated', { scope: 'warning', evidence: { summary: '', key: data } });
    expect(subject).toBe('Billing sync: will be deactivated');
    expect(text).toContain(
      '[Warning] Key Billing sync will be deactivated on Sat 28 Nov at 09:00 UTC: 61.0 % of 400 requests were answered 4xx.',
    );
    expect(text).toMatch(/Policy: +Abuse/);
    expect(text).toContain('exempt the key if it must stay');
  });

  test('a key that a policy finds unused: since when, and when it ends', () => {
    const data = { acts_at: '2026-11-28T09:00:00Z', because: 'not used since 2026-08-01 (112 days)' };
    const { text } = textOf('key_unused', { evidence: { summary: '', key: data } });
    expect(text).toContain(
      'Key Billing sync was not used since 2026-08-01 (112 days). It will be deactivated on Sat 28 Nov at 09:00 UTC.',
    );
  });

  test('a channel that gave a message up is neither many keys nor over', () => {
    const channel = { channel_id: 'ch_1', organization_id: 'acme', name: '<!channel> *ops*', type: 'slack' } as Channel;
    const event = givenUpNotice(channel, { attempts: 10, notices: 2, reason: 'answered 500' }, NOW_MS);
    const { subject, badge, text, sections } = textOf('platform', event);
    expect([subject, badge]).toEqual(['A channel does not deliver', 'Warning']);
    expect(text).toContain('was given up after 10 attempts: answered 500.');
    expect(text).toContain('sent again from the list of deliveries');
    expect(text).not.toMatch(/back to normal|many keys|Mute|Acknowledge/i);
    // The name is somebody's text.
    expect(sections[0]!.lead).toEqual([{ foreign: expect.stringContaining('<!channel>'), look: 'text' }]);
  });

  test('reports that are missing, and come again', () => {
    const summary = 'No request was reported by anybody for 15 minutes.';
    const evidence = { summary, windowMinutes: 15, direction: 'silence' as const };
    const { subject, text } = textOf('platform', { scope: 'silence', evidence });
    expect(subject).toBe('No requests are reported');
    expect(text).toContain('do your gateways still run');
    const { text: end } = textOf('platform', { ...resolvedEvent, scope: 'silence', evidence });
    expect(end).toContain('[Resolved] Requests are reported again, after 1 h 25 min.');
  });

  test('what explains nothing is left out', () => {
    const all = { dimension: 'endpoint' as const, value: '/v2/all', requests: 9, share: 1, usualShare: 1 };
    const contributions = [all, { ...all, value: '/v1/b', share: 0.4, usualShare: 0.1 }];
    const { text } = textOf('latency', { evidence: { ...EVIDENCE.latency, contributions } });
    expect(text).toContain('/v1/b');
    expect(text).not.toContain('/v2/all');
    const { text: none } = textOf('latency', { evidence: { ...EVIDENCE.latency, contributions: [all] } });
    expect(none).not.toContain('What was called');
  });

  test('a figure that is remarkable because it is small is not beyond its threshold', () => {
    const statistic = { name: 'chance of something new', value: 0, threshold: 0.001 };
    expect(textOf('new_country', { evidence: { ...EVIDENCE.new_country, statistic } }).text).toMatch(/0, below 0\.001/);
  });
});

test('a key without a name is called by its id', () => {
  const model = sampleModel(sampleMessage([sampleNotice('error_rate', {}, { name: ' ' })]));
  expect(plain(model.sections[0]!.lead)).toContain('of key key_billing_sync have');
});

test('every message has a sentence, what to do, and its links; every open one says since when', () => {
  for (const [title, message] of everyMessage()) {
    const model = sampleModel(message, 'Asia/Kolkata');
    const text = mailText(model, undefined);
    expect(text, title).not.toMatch(/undefined|NaN|Invalid|\[object|null/);
    expect(model.subject, title).toMatch(/^\S.{5,119}$/);
    for (const section of model.sections) {
      const isOver = section.badge === 'Resolved';
      if (message.reason !== 'key_event') {
        expect(section.links.mute.length, title).toBe(3);
        expect(section.keyId === '' || section.links.key, title).toBeTruthy();
        expect(section.advice.length > 0, title).toBe(!isOver);
      }
      expect(text).toContain(plain(section.lead));
    }
  }
  const opened = mailText(sampleModel(sampleMessage([sampleNotice('error_rate')]), 'Asia/Kolkata'), undefined);
  expect(opened).toContain('Since:    Sat 21 Nov 2026, 14:05 UTC (19:35 Asia/Kolkata)');
  expect(opened).toContain('Expected: 0.4%, from the last 28 days');
});

test.each([
  ['severity_raised', 'Worse: Billing sync: requests are failing', /grown worse/],
  ['repeated', 'Still open: Billing sync: requests are failing', /nobody has acknowledged/],
  ['flapping', 'On and off: Billing sync: requests are failing', /goes on and off/],
] as const)('%s', (reason, subject, remark) => {
  const model = sampleModel(sampleMessage([sampleNotice('error_rate', { notify: reason })], { reason }));
  expect(model.subject).toBe(subject);
  expect(model.sections[0]!.remark).toMatch(remark);
});

test('what several alerts add is said of each: one that has grown worse makes no other worse', () => {
  const raised = sampleNotice('error_rate', { notify: 'severity_raised' });
  const model = sampleModel(sampleMessage([sampleNotice('error_rate'), raised], { reason: 'severity_raised' }));
  expect(model.subject).toBe('Billing sync: requests are failing and 1 more alert');
  expect(model.sections.map(({ remark }) => remark)).toEqual(['', 'It has grown worse since the last message.']);
});

test('several at once: three in full, more in a line each, the rest counted', () => {
  const notices = (count: number) => Array.from({ length: count }, () => sampleNotice('error_rate'));
  const shape = (count: number, omitted = 0) => {
    const { sections, rows, notes } = sampleModel(sampleMessage(notices(count), { omitted }));
    return [sections.length, rows.length, notes];
  };
  expect(shape(3)).toEqual([3, 0, []]);
  expect(shape(4)).toEqual([1, 3, []]);
  expect(shape(61, 5)).toEqual([1, 40, ['25 more alerts not shown here; Keytally lists them all.']]);
});

test('the same message says the same, at whatever time it is repeated', () => {
  const message = sampleMessage([sampleNotice('error_rate')]);
  expect(sampleModel(message)).toEqual(sampleModel(message));
});

describe('figures', () => {
  test.each([
    [0, '0'],
    [1, '1'],
    [8.27, '8.3'],
    [1_234, '1,234'],
    [999_999, '999,999'],
    [1_234_567, '1.23M'],
    [Number.NaN, '?'],
  ])('count %d: %s', (value, text) => expect(formatCount(value)).toBe(text));
  test.each([
    [0, '0%'],
    [0.0000001, '<0.1%'],
    [0.004, '0.4%'],
    [0.0996, '10%'],
    [0.3128, '31%'],
    [0.995, '99.5%'],
    [0.99999, '>99.9%'],
    [1, '100%'],
    [1.4, '140%'],
  ])('ratio %d: %s', (value, text) => expect(formatRatio(value)).toBe(text));
  test.each([
    [0.2, '<1 ms'],
    [803, '803 ms'],
    [2_412, '2.4 s'],
    [90_000, '1.5 min'],
  ])('%d ms: %s', (value, text) => expect(formatMs(value)).toBe(text));
  test.each([
    [0, 'less than a minute'],
    [60_000, '1 minute'],
    [8 * 60_000, '8 minutes'],
    [3_600_000, '1 hour'],
    [80 * 60_000, '1 h 20 min'],
    [86_400_000, '1 day'],
    [100 * 3_600_000, '4 days 4 h'],
  ])('%d ms last %s', (value, text) => expect(formatDuration(value)).toBe(text));
  test.each([
    [5_936, 424, '14 times'],
    [3, 2, '1.5 times'],
    [5, 0, ''],
    [0, 5, ''],
  ])('%d of %d: %s', (value, expected, text) => expect(formatTimes(value, expected)).toBe(text));
});

describe('foreign text', () => {
  test.each([
    ['plain text', 'plain text'],
    ['  two \t\r\n lines ', 'two lines'],
    ['abc\u202Egnp.exe', 'abc\uFFFDgnp.exe'],
    ['\u0000a\u001Bb\u009Bc', '\uFFFDa\uFFFDb\uFFFDc'],
    ['zero\u200Bwidth\uFEFF\u00AD\u{E0041}', 'zerowidth'],
    ['lone \uD800 half', 'lone \uFFFD half'],
    ['a\u2028b', 'a\uFFFDb'],
    ['e\u0301\u0301\u0301\u0301\u0301\u0301', 'e\u0301\u0301\u0301'],
    ['日本語 عربى', '日本語 عربى'],
    ['', ''],
  ])('%j: %j', (given, cleaned) => expect(cleanText(given, 100)).toBe(cleaned));

  test('is cut at whole characters', () => {
    expect(cleanText('x'.repeat(101), 100)).toBe(`${'x'.repeat(99)}…`);
    expect(cleanText('x'.repeat(100), 100)).toBe('x'.repeat(100));
    expect(cleanText('𝒳'.repeat(60), 100)).toBe(`${'𝒳'.repeat(49)}…`);
    expect(cleanText(`${' '.repeat(4_000)}x`, 100)).toBe('…');
  });

  test('values are bounded in depth, width and length, and have no prototype to offer', () => {
    const deep = {
      a: { b: { c: { d: { e: 1 } } } },
      list: Array.from({ length: 99 }, () => 'x'.repeat(999)),
      f: Number.NaN,
      g: () => 1,
    };
    const cleaned = cleanValue(deep, 10) as { list: string[] };
    expect(cleaned).toMatchObject({ a: { b: { c: { d: null } } }, f: null, g: null });
    expect([cleaned.list.length, cleaned.list[0]!.length]).toEqual([50, 10]);
  });
});

describe('charts', () => {
  test('blocks keep their length, zero is the lowest, and only zero', () => {
    expect(blockLine([0, 1, 50, 100])).toBe('▁▂▅█');
    expect(blockLine([0, 0])).toBe('▁▁');
    expect(blockLine([0.0001, 1_000])).toBe('▂█');
  });

  test('a long series keeps its spike and its newest bucket', () => {
    const values = Array.from({ length: 500 }, (_, i) => (i === 77 ? 900 : i === 499 ? 800 : 5));
    const chart = { start: '2026-11-20T00:00:00Z', bucketMinutes: 5, values, expected: values.map(() => null) };
    const model = sampleModel(sampleMessage([sampleNotice('error_rate', { evidence: { summary: '', chart } })]));
    const drawn = model.sections[0]!.chart!;
    expect(drawn.values.length).toBeLessThanOrEqual(MAX_BARS);
    expect([Math.max(...drawn.values), drawn.values.at(-1)]).toEqual([900, 800]);
  });

  test.each([
    ['no values', { start: '2026-11-20T00:00:00Z', bucketMinutes: 5, values: [], expected: [] }],
    ['no time', { start: 'never', bucketMinutes: 5, values: [1, 2], expected: [null, null] }],
    ['no width', { start: '2026-11-20T00:00:00Z', bucketMinutes: 0, values: [1, 2], expected: [] }],
  ])('%s: none', (_, chart) => {
    const model = sampleModel(sampleMessage([sampleNotice('error_rate', { evidence: { summary: '', chart } })]));
    expect(model.sections[0]!.chart).toBeNull();
  });

  test('the picture is a small PNG whose bars are where they belong', () => {
    const values = [1, 1, 1, 4];
    const chart = {
      start: new Date(NOW_MS - 20 * 60_000).toISOString(),
      bucketMinutes: 5,
      values,
      expected: [null, null, null, null],
    };
    const labels = { judged: 1, topLabel: '', startLabel: '', endLabel: '', description: '' };
    const png = chartPng({ ...chart, ...labels }, 'critical');
    expect(png.length).toBeLessThan(4_000);
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const data = png.indexOf('IDAT');
    const rows = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
    const pixel = (x: number, y: number) => rows[y * (width + 1) + 1 + x];
    const middle = (bar: number) => Math.round(((bar + 0.5) * width) / values.length);
    const low = height - 20;
    expect([0, 1, 2, 3].map((bar) => pixel(middle(bar), low))).toEqual([3, 3, 3, 4]);
    expect([0, 3].map((bar) => pixel(middle(bar), Math.round(height * 0.4)))).toEqual([0, 4]);
  });
});
