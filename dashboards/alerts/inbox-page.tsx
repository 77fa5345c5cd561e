import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { useAddressFields } from '../address/use-address-fields.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { refusalOf } from '../console/page-reach.ts';
import { Choice, FilterBar } from '../forms/filter-bar.tsx';
import type { Alert } from '../http/contract/alerts.ts';
import { useAction } from '../http/use-action.ts';
import { usePages } from '../http/use-pages.ts';
import { usePolling } from '../http/use-polling.ts';
import { AsOf } from '../panels/as-of.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { MorePages } from '../panels/more-pages.tsx';
import { Pill } from '../panels/pill.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { Moment } from '../time/moment.tsx';
import { ALERT_KINDS, ALERTS_EVERY_MS, kindName, SEVERITIES } from './alert-words.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { SeverityBadge, standingOf } from './severity-badge.tsx';

const PHASES = [
  ['all', 'all of the last 30 days'],
  ['resolved', 'over'],
] as const;

/** What needs somebody now, and what did before. */
export function InboxPage({ api, search, rights }: PageProps) {
  useTitle('Alerts');
  const [fields, set] = useAddressFields('/alerts', search, ['phase', 'kind', 'severity', 'key_id'] as const);
  const asked = { ...fields, phase: fields.phase === 'all' ? '' : fields.phase || 'open' };
  const pages = usePages<Alert>(api, '/v1/alerts', asked, 50, { idOf: ({ alert_id }) => alert_id });
  const acknowledge = useAction(async (alert: Alert) => {
    const answer = await api.post<Alert>(`/v1/alerts/${alert.alert_id}/acknowledge`, {});
    pages.change((row) => (row.alert_id === answer.alert_id ? answer : row));
  });
  const { first, items } = pages;
  const old = usePolling({ ...first, loading: first.loading || pages.loadingMore }, ALERTS_EVERY_MS);
  const filtered = Object.values(fields).some(Boolean);
  return (
    <AlertsFrame current="alerts" rights={rights} busy={first.loading && !first.data}>
      <FilterBar>
        <Choice name="State" any="open" value={fields.phase} options={PHASES} onChoose={(phase) => set({ phase })} />
        <Choice name="Kind" value={fields.kind} options={ALERT_KINDS} onChoose={(kind) => set({ kind })} />
        <Choice
          name="Severity"
          value={fields.severity}
          options={SEVERITIES}
          onChoose={(severity) => set({ severity })}
        />
        {fields.key_id && <Pill name="key" value={fields.key_id} onRemove={() => set({ key_id: '' })} />}
      </FilterBar>
      {first.answeredAt && <AsOf old={old} answeredAt={first.answeredAt} onRetry={first.retry} />}
      <Refusal problem={acknowledge.problem} />
      {first.problem && <ProblemPanel what="The alerts" problem={first.problem} onRetry={first.retry} />}
      {first.data && items.length === 0 && <Calm filtered={filtered} canSetUp={refusalOf('channels', rights) === ''} />}
      {items.length > 0 && (
        <ol class="panel inbox" data-testid="inbox">
          {items.map((alert) => (
            <InboxEntry
              key={alert.alert_id}
              alert={alert}
              canManage={rights.manage}
              busy={acknowledge.busy}
              onAcknowledge={() => acknowledge.run(alert)}
            />
          ))}
        </ol>
      )}
      <MorePages pages={pages} what="older alerts" />
    </AlertsFrame>
  );
}

function Calm({ filtered, canSetUp }: { filtered: boolean; canSetUp: boolean }) {
  return (
    <section class="panel no-match" data-testid="inbox-empty">
      <h2>{filtered ? 'No alert matches these filters' : 'Nothing needs you now'}</h2>
      <p class="dim">
        Every key is watched for errors, unusual traffic, limits and its expiry without any set-up.{' '}
        {canSetUp && (
          <>
            <Link href="/channels">Channels</Link> say who is told, <Link href="/alert-rules">rules</Link> change when.
          </>
        )}
      </p>
    </section>
  );
}

interface InboxEntryProps {
  alert: Alert;
  canManage: boolean;
  busy: boolean;
  onAcknowledge: () => void;
}

function InboxEntry({ alert, canManage, busy, onAcknowledge }: InboxEntryProps) {
  const open = alert.phase !== 'resolved';
  return (
    <li>
      <SeverityBadge severity={alert.severity} />
      <div class="inbox-what">
        <Link href={`/alerts/${alert.alert_id}`} class="key-link">
          {alert.summary || kindName(alert.kind)}
        </Link>
        <span class="sub">
          <span>{kindName(alert.kind)}</span>
          {alert.key_id ? (
            <Link href={keyPath(alert.key_id)}>
              <HostileText value={alert.key_id} class="mono" />
            </Link>
          ) : (
            <span>all keys</span>
          )}
          {alert.environment && <HostileText value={alert.environment} />}
          <span>
            since <Moment at={alert.opened_at} />
          </span>
          <span class={open && !alert.acknowledged ? 'warn' : ''}>{standingOf(alert)}</span>
        </span>
      </div>
      {open && canManage && (
        <span class="inbox-actions">
          {!alert.acknowledged && (
            <LeavingButton busy={busy} onClick={onAcknowledge}>
              Acknowledge
            </LeavingButton>
          )}
          {alert.key_id && (
            <Link href={`/silences?key_id=${encodeURIComponent(alert.key_id)}`} class="button">
              Silence
            </Link>
          )}
        </span>
      )}
    </li>
  );
}
