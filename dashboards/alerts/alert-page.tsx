import { Link } from '../address/link.tsx';
import { go } from '../address/location.ts';
import { keyPath } from '../address/route.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { refusalOf } from '../console/page-reach.ts';
import type { AlertDetails } from '../http/contract/alerts.ts';
import { useAction } from '../http/use-action.ts';
import { useLazy } from '../http/use-lazy.ts';
import { usePolling } from '../http/use-polling.ts';
import { useResource } from '../http/use-resource.ts';
import { AsOf } from '../panels/as-of.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { Facts } from '../panels/facts.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { useArrival } from '../panels/keep-focus.ts';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { NotLoaded } from '../panels/not-loaded.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { formatInstant } from '../time/label.ts';
import { Moment } from '../time/moment.tsx';
import { browserZone } from '../time/zone-names.ts';
import { loadCharts } from '../usage-tab/usage-figures.tsx';
import { AlertTimeline } from './alert-timeline.tsx';
import { ALERTS_EVERY_MS, kindName } from './alert-words.ts';
import { ContributionsTable } from './contributions.tsx';
import { factsOf, spanOf, usageAround } from './evidence-words.ts';
import { SeverityBadge, standingOf } from './severity-badge.tsx';

/** One alert: what happened, why it fired, what explains it, and what became of it. */
export function AlertPage({ api, rights, id }: PageProps) {
  const path = `/v1/alerts/${encodeURIComponent(id)}`;
  const alert = useResource(path, (signal) => api.get<AlertDetails>(path, {}, signal));
  const old = usePolling(alert, ALERTS_EVERY_MS);
  const acknowledge = useAction(async () => {
    await api.post(`${path}/acknowledge`, {});
    alert.retry();
  });
  useTitle(alert.data ? kindName(alert.data.kind) : 'Alert');
  const { data } = alert;
  useArrival(data ? id : '');
  return (
    <main class="page" aria-busy={!data && !alert.problem}>
      <p class="crumb">
        <Link href="/alerts">Alerts</Link>
      </p>
      {alert.problem && <h1>Alert</h1>}
      {alert.problem && <ProblemPanel what="The alert" problem={alert.problem} onRetry={alert.retry} />}
      {data && (
        <>
          <div class="page-title">
            <h1>{kindName(data.kind)}</h1>
            <SeverityBadge severity={data.severity} />
            <span class="dim">{standingOf(data)}</span>
            {rights.manage && data.phase !== 'resolved' && (
              <span class="title-actions">
                {data.key_id && (
                  <Link href={`/silences?key_id=${encodeURIComponent(data.key_id)}`} class="button">
                    Silence
                  </Link>
                )}
                {!data.acknowledged && (
                  <LeavingButton look="primary" busy={acknowledge.busy} onClick={acknowledge.run}>
                    Acknowledge
                  </LeavingButton>
                )}
              </span>
            )}
          </div>
          <AsOf old={old} answeredAt={alert.answeredAt!} onRetry={alert.retry} />
          <Refusal problem={acknowledge.problem} />
          <AlertBody alert={data} rights={rights} />
        </>
      )}
    </main>
  );
}

function AlertBody({ alert, rights }: { alert: AlertDetails } & Pick<PageProps, 'rights'>) {
  const { module: charts, failed } = useLazy(loadCharts);
  const { evidence } = alert;
  const zone = browserZone();
  return (
    <div class="figures">
      <p class="alert-lead" data-testid="alert-summary">
        {alert.summary}
      </p>
      {evidence.chart &&
        (charts ? (
          <charts.EvidenceChart
            evidence={evidence}
            chart={evidence.chart}
            zone={zone}
            onZoom={(from, to) => go(usageAround(alert.key_id, { from, to }))}
          />
        ) : failed ? (
          <div class="panel">
            <NotLoaded what="The chart" />
          </div>
        ) : (
          <div class="panel skeleton-chart skeleton-low" aria-hidden="true">
            <i class="skeleton" />
          </div>
        ))}
      <div class="pair">
        <Facts
          title="Why it fired"
          facts={[
            ['Since', <Moment key="since" at={alert.opened_at} />],
            ['Opened', formatInstant(alert.opened_at, zone)],
            ...(alert.resolved_at ? ([['Over', formatInstant(alert.resolved_at, zone)]] as [string, string][]) : []),
            ['Key', <KeyOf key="key" alert={alert} />],
            ...factsOf(evidence, zone),
            ['Judged by', <JudgedBy key="rule" id={alert.rule_id} rights={rights} />],
            ...(alert.withheld ? ([['Nobody is told', alert.withheld]] as [string, string][]) : []),
          ]}
        />
        <ContributionsTable alert={alert} span={spanOf(alert)} />
      </div>
      <AlertTimeline alert={alert} zone={zone} withDeliveries={refusalOf('deliveries', rights) === ''} />
    </div>
  );
}

function KeyOf({ alert }: { alert: AlertDetails }) {
  if (!alert.key_id) return <>all keys together</>;
  return (
    <>
      <Link href={keyPath(alert.key_id)}>
        <HostileText value={alert.key_id} class="mono" />
      </Link>{' '}
      <Link href={usageAround(alert.key_id, spanOf(alert))}>its usage at that time</Link>
    </>
  );
}

function JudgedBy({ id, rights }: Pick<PageProps, 'id' | 'rights'>) {
  if (!id) return <>the built-in settings</>;
  if (refusalOf('alert-rule', rights)) return <>a rule of its organization</>;
  return <Link href={`/alert-rules/${encodeURIComponent(id)}`}>a rule of yours</Link>;
}
