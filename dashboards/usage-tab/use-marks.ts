import { useMemo } from 'preact/hooks';
import type { ChartMark } from '../charts/mark-groups.ts';
import type { ApiClient } from '../http/client.ts';
import type { AuditEntry } from '../http/contract/access.ts';
import type { Alert } from '../http/contract/alerts.ts';
import type { Page } from '../http/contract/page.ts';
import { useResource } from '../http/use-resource.ts';
import { formatInstant } from '../time/label.ts';
import type { Span } from '../time/range.ts';

interface MarksOf {
  api: ApiClient;
  keyId: string;
  span: Span;
  zone: string;
  now: number;
  alertHref?: (alertId: string) => string;
}

const EVENTS: Record<string, [words: string, tone: ChartMark['tone']]> = {
  'key.registered': ['registered', 'plain'],
  'key.deactivated': ['deactivated', 'bad'],
  'key.reactivated': ['reactivated', 'plain'],
  'key.expired': ['expired', 'bad'],
  'key.regenerated': ['given a new secret', 'plain'],
  'key.leaked': ['reported as leaked', 'bad'],
  'key.deleted': ['deleted', 'bad'],
};

const TONES = { critical: 'bad', warning: 'warn', info: 'plain' } as const;

/** Alerts and changes of the key in the time that is shown. Either may be missing; the chart is complete without. */
export function useMarks({ api, keyId, span, zone, now, alertHref }: MarksOf): {
  marks: ChartMark[];
  loading: boolean;
} {
  const since = new Date(span.from).toISOString();
  const alerts = useResource(`alerts ${keyId} ${since} ${now}`, (signal) =>
    api.get<Page<Alert>>('/v1/alerts', { key_id: keyId, since, limit: 200 }, signal),
  );
  const path = `/v1/keys/${encodeURIComponent(keyId)}/history`;
  const history = useResource(`${path} ${now}`, (signal) => api.get<Page<AuditEntry>>(path, { limit: 200 }, signal));
  const marks = useMemo(() => {
    const opened = (alerts.data?.data ?? []).map((alert) => ({
      at: Date.parse(alert.opened_at),
      what: `${formatInstant(alert.opened_at, zone)}: ${alert.summary}`,
      tone: TONES[alert.severity],
      href: alertHref?.(alert.alert_id),
    }));
    const changed = (history.data?.data ?? []).flatMap(({ at, action, reason }) => {
      const event = EVENTS[action];
      if (!event) return [];
      const [words, tone] = event;
      return [
        {
          at: Date.parse(at),
          what: `${formatInstant(at, zone)}: ${words}${reason ? ` (${reason.slice(0, 200)})` : ''}`,
          tone,
        },
      ];
    });
    return [...opened, ...changed];
  }, [alerts.data, history.data, zone, alertHref]);
  return { marks, loading: alerts.loading || history.loading };
}
