import {
  ALERT_KINDS,
  type AlertEvent,
  type AlertEvidence,
  type AlertKind,
  alertIdOf,
  alertKeyOf,
  eventIdOf,
} from '../../../../workers/alerts/alert.ts';
import type { AlertMessage, AlertNotice, NoticeKey, OpenChannel } from '../../../../workers/alerts/channels/channel.ts';
import { compose } from '../../../../workers/alerts/channels/message/compose.ts';
import { linkMaker } from '../../../../workers/alerts/channels/message/message-links.ts';
import {
  type LinkMaker,
  type MessageModel,
  REGISTRY_KINDS,
} from '../../../../workers/alerts/channels/message/model.ts';
import { noticeOf } from '../../../../workers/alerts/delivery/compose-message.ts';
import { noFacts } from '../../../../workers/alerts/evaluation/key-facts.ts';
import { eventOfStep } from '../../../../workers/alerts/evaluation/steps.ts';
import { effectiveOf } from '../../../../workers/alerts/rules/rule.ts';
import { secretKeys } from '../../../../workers/alerts/secret-key.ts';
import { type AlertState, initialState } from '../../../../workers/alerts/state.ts';

/** Start of the window at whose end the alert opens. */
export const SINCE_MS = Date.parse('2026-11-21T14:05:00.000Z');
export const NOW_MS = Date.parse('2026-11-21T14:15:00.000Z');
const WINDOW_MS = 5 * 60_000;

export const SAMPLE_KEY: NoticeKey = {
  key_id: 'key_billing_sync',
  name: 'Billing sync',
  prefix: 'sk_live_8fk2',
  organization_id: 'acme',
  environment: 'production',
  owner_name: 'Ada Nilsson',
  owner_email: 'ada@acme.example',
};

/** 13 five-minute buckets: a quiet hour, then what happened. */
const chart = (usual: number, last: readonly number[]): NonNullable<AlertEvidence['chart']> => {
  const values = [...Array.from({ length: 34 }, (_, i) => usual * (0.82 + 0.3 * Math.abs(Math.sin(i * 1.7)))), ...last];
  return {
    start: new Date(NOW_MS - values.length * 5 * 60_000).toISOString(),
    bucketMinutes: 5,
    values,
    expected: values.map((_, i) => usual * (1 + 0.08 * Math.sin(i / 6))),
  };
};

const contributions: AlertEvidence['contributions'] = [
  { dimension: 'endpoint', value: 'POST /v1/invoices/{id}/payments', requests: 1_204, share: 0.86, usualShare: 0.11 },
  { dimension: 'status', value: '503', requests: 1_190, share: 0.85, usualShare: 0.02 },
  { dimension: 'country', value: 'SE', requests: 980, share: 0.7, usualShare: 0.68 },
];

const HISTORY = 'this hour in the last 6 weeks';

export const EVIDENCE: Readonly<Record<AlertKind, AlertEvidence>> = {
  error_rate: {
    summary: '31% of the requests failed, usually 0.4%.',
    value: 0.3128,
    expected: 0.004,
    unit: 'ratio',
    windowMinutes: 10,
    baseline: 'the last 28 days',
    statistic: { name: 'lower bound of the failing share', value: 0.287, threshold: 0.05 },
    chart: chart(0.004, [0.09, 0.296, 0.329]),
    contributions,
  },
  traffic_anomaly: {
    summary: '14 times the usual requests.',
    value: 5_936,
    expected: 424,
    unit: 'requests',
    windowMinutes: 10,
    baseline: HISTORY,
    direction: 'spike',
    statistic: { name: 'z', value: 18.2, threshold: 4.75 },
    chart: chart(212, [1_800, 2_968, 2_968]),
    contributions,
  },
  latency: {
    summary: 'p95 is 2.4 s, usually 800 ms.',
    value: 2_412,
    expected: 803,
    unit: 'ms',
    windowMinutes: 10,
    baseline: HISTORY,
    chart: chart(800, [1_500, 2_412, 2_300]),
    contributions: contributions.slice(0, 1),
  },
  new_country: {
    summary: 'A new country.',
    value: 42,
    unit: 'requests',
    country: 'BR',
    baseline: '18,402 requests of the last 28 days',
  },
  country_mix: { summary: 'Other countries than usual.', windowMinutes: 60, contributions: contributions.slice(2) },
  near_limit: {
    summary: '90% of the daily limit.',
    value: 90.3,
    unit: 'percent',
    limit: { period: 'day', used: 9_034, limit: 10_000, stepPercent: 90, fullAt: '2026-11-21T15:48:00.000Z' },
    chart: chart(30, [70, 160, 158]),
    contributions: contributions.slice(0, 1),
  },
  key_expiring: {
    summary: 'The key expires in 7 days.',
    key: {
      name: 'Billing sync',
      owner: { name: 'Ada Nilsson' },
      reminder_days: 7,
      expires_at: '2026-11-28T09:00:00.000Z',
      successor_key_id: '',
    },
  },
  key_expired: { summary: 'The key expired.', key: { expires_at: '2026-11-21T14:05:00.000Z' } },
  key_deactivated: {
    summary: 'The key was deactivated.',
    key: { reason: 'policy "unused": no request for 180 days', actor: 'policy:unused' },
  },
  key_unused: { summary: 'The key is not used.', key: { last_used_at: '2026-05-20T08:00:00.000Z' } },
  rotation_due: {
    summary: 'The secret is old.',
    key: { secret_since: '2026-08-20T08:00:00.000Z', due_since: '2026-11-18T08:00:00.000Z' },
  },
  key_leaked: { summary: 'The secret leaked.', key: { reason: 'found in a public repository' } },
  platform: {
    summary: 'Many keys fail at once.',
    value: 312,
    unit: 'keys',
    fleet: { firingKeys: 312, activeKeys: 4_016, kind: 'error_rate' },
    chart: chart(4, [40, 260, 312]),
  },
};

export function sampleEvent(kind: AlertKind, change: Partial<AlertEvent> = {}): AlertEvent {
  const keyId = kind === 'platform' ? '' : SAMPLE_KEY.key_id;
  const alertKey = alertKeyOf(kind, keyId, '');
  return {
    event_id: eventIdOf(alertKey, NOW_MS, 'opened'),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, NOW_MS),
    at: new Date(NOW_MS).toISOString(),
    recorded_at: new Date(NOW_MS + 4_000).toISOString(),
    kind,
    scope: '',
    key_id: keyId,
    organization_id: kind === 'platform' ? '' : 'acme',
    environment: 'production',
    rule_id: '',
    phase: 'firing',
    severity: ['error_rate', 'key_leaked', 'platform'].includes(kind) ? 'critical' : 'warning',
    transition: 'opened',
    notify: 'opened',
    withheld: '',
    actor: '',
    evidence: EVIDENCE[kind],
    state: openState(kind, change.evidence ?? EVIDENCE[kind]),
    ...change,
  };
}

/** As the evaluation opens it, one window ago or as long as its evidence says. */
function openState(kind: AlertKind, evidence: AlertEvidence): AlertState {
  const opened: AlertState = { ...initialState(), phase: 'firing', openedAtMs: NOW_MS, lastAtMs: NOW_MS };
  if (REGISTRY_KINDS.has(kind) || kind === 'near_limit') return opened;
  const judged = { kind, scope: '', keyId: 'k', level: 'breach', severity: 'warning' } as const;
  const step = eventOfStep(
    undefined,
    { ...judged, ...(kind === 'new_country' && { sinceMs: SINCE_MS }), describe: () => evidence },
    { atMs: NOW_MS, windowMs: WINDOW_MS, recordedAt: '', late: false },
    {
      facts: noFacts('k'),
      effective: effectiveOf(kind, undefined),
      silencedUntilMs: undefined,
      inhibitedBy: undefined,
    },
  );
  return step!.state;
}

export function sampleNotice(
  kind: AlertKind,
  change: Partial<AlertEvent> = {},
  key: Partial<NoticeKey> = {},
): AlertNotice {
  const event = sampleEvent(kind, change);
  const notice = noticeOf(event, event.notify, undefined);
  return { ...notice, key: kind === 'platform' ? null : { ...SAMPLE_KEY, ...key } };
}

export function sampleMessage(notices: readonly AlertNotice[], change: Partial<AlertMessage> = {}): AlertMessage {
  return {
    messageId: 'msg_2f9c41d07a',
    reason: 'opened',
    notices,
    threadId: notices[0]?.event.alert_id ?? 'thread_test',
    owners: [],
    omitted: 0,
    ...change,
  };
}

export const resolvedEvent: Partial<AlertEvent> = {
  phase: 'resolved',
  transition: 'resolved',
  notify: 'resolved',
  at: '2026-11-21T15:25:00.000Z',
};

/** Every kind and every reason, groups, digest, test and key event. */
export function everyMessage(make: typeof sampleNotice = sampleNotice): [string, AlertMessage][] {
  const kinds = ALERT_KINDS.map((kind): [string, AlertMessage] => [kind, sampleMessage([make(kind)])]);
  const reasons = (['severity_raised', 'repeated', 'flapping'] as const).map((reason): [string, AlertMessage] => [
    reason,
    sampleMessage([make('error_rate', { notify: reason })], { reason }),
  ]);
  const ends = ALERT_KINDS.map((kind): [string, AlertMessage] => [
    `${kind} resolved`,
    sampleMessage([make(kind, resolvedEvent)], { reason: 'resolved' }),
  ]);
  const all = ALERT_KINDS.map((kind) => make(kind));
  const crowd = Array.from({ length: 80 }, (_, i) => make(ALERT_KINDS[i % ALERT_KINDS.length]!));
  const key = make('key_expiring').key;
  return [
    ...kinds,
    ...reasons,
    ...ends,
    [
      'spike that drops',
      sampleMessage([
        make('traffic_anomaly', { evidence: { ...EVIDENCE.traffic_anomaly, direction: 'drop', value: 30 } }),
      ]),
    ],
    [
      'silence',
      sampleMessage([
        make('traffic_anomaly', { evidence: { ...EVIDENCE.traffic_anomaly, direction: 'silence', value: 0 } }),
      ]),
    ],
    ['bare evidence', sampleMessage([make('error_rate', { evidence: { summary: 'Something is off.' } })])],
    ['two together', sampleMessage([make('error_rate'), make('latency')])],
    ['all together', sampleMessage(all)],
    ['digest', sampleMessage(crowd, { reason: 'digest', omitted: 210 })],
    ['empty digest', sampleMessage([make('latency')], { reason: 'digest' })],
    ['test', sampleMessage([], { reason: 'test' })],
    [
      'key event',
      sampleMessage([], {
        reason: 'key_event',
        keyEvent: {
          type: 'key.deactivated',
          at: new Date(SINCE_MS).toISOString(),
          data: { name: key?.name ?? '', reason: key?.owner_name ?? '' },
          key,
        },
      }),
    ],
    [
      'unknown key event',
      sampleMessage([], {
        reason: 'key_event',
        keyEvent: { type: 'key.<odd>', at: 'never', data: { key_id: key?.key_id } },
      }),
    ],
  ];
}

export const SAMPLE_KEYS = secretKeys([Buffer.alloc(32, 7)]);
export const SAMPLE_LINKS: LinkMaker = linkMaker(SAMPLE_KEYS, 'https://keytally.example.com', 'channel:ops', NOW_MS);

export function sampleModel(message: AlertMessage, timezone?: string, links: LinkMaker = SAMPLE_LINKS): MessageModel {
  return compose(message, { links, timezone, channelName: 'On call', nowMs: NOW_MS });
}

export function sampleChannel(change: Partial<OpenChannel> & Pick<OpenChannel, 'type'>): OpenChannel {
  return { channel_id: 'ch_ops', organization_id: 'acme', name: 'On call', settings: {}, secrets: {}, ...change };
}
