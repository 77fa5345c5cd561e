import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { formatCount, formatMilliseconds } from '../format/number.ts';
import type { Jobs } from '../http/contract/system.ts';
import { usePolling } from '../http/use-polling.ts';
import { useResource } from '../http/use-resource.ts';
import { AsOf } from '../panels/as-of.tsx';
import { TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { Part } from '../panels/part.tsx';
import { Moment } from '../time/moment.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { lagTone } from './health-words.ts';
import { SystemTabs } from './system-tabs.tsx';

const POLL_MS = 3_000;

/** What runs behind the pages, and what did not work. */
export function JobsPage({ api, search, rights }: PageProps) {
  useTitle('Background jobs');
  const jobs = useResource('jobs', (signal) => api.get<Jobs>('/v1/jobs', {}, signal));
  const old = usePolling(jobs, POLL_MS);
  return (
    <main class="page">
      <div class="page-title">
        <h1>System</h1>
        <span class="title-actions">
          <a class="button" href="/admin/queues">
            Every job, one by one
          </a>
        </span>
      </div>
      <SystemTabs current="/jobs" />
      {jobs.answeredAt && <AsOf old={old} answeredAt={jobs.answeredAt} onRetry={jobs.retry} />}
      <div class="figures">
        <Part of={jobs} what="The background jobs">
          {(answer) => (
            <>
              <Queues jobs={answer} />
              <Schedules jobs={answer} />
              <FailedJobs jobs={answer} />
            </>
          )}
        </Part>
        <DeadLetters api={api} search={search} rights={rights} />
      </div>
    </main>
  );
}

function Queues({ jobs }: { jobs: Jobs }) {
  return (
    <TablePanel
      title="Queues"
      caption="Queues"
      testId="queues"
      rows={jobs.queues}
      rowKey={(row) => row.name}
      empty="There is no queue."
      columns={[
        {
          name: 'Queue',
          cell: (row) => (
            <>
              <span class="mono">{row.name}</span> {row.paused && <span class="badge badge-expired">paused</span>}
              <span class="sub">{row.holds}</span>
            </>
          ),
        },
        { name: 'Waiting', numeric: true, cell: (row) => formatCount(row.waiting) },
        { name: 'Running', numeric: true, cell: (row) => formatCount(row.active) },
        { name: 'Later', numeric: true, cell: (row) => formatCount(row.delayed), look: 'wide-only' },
        {
          name: 'Failed',
          numeric: true,
          cell: (row) => <span class={row.failed ? 'bad' : 'dim'}>{formatCount(row.failed)}</span>,
        },
        {
          name: 'Oldest waits',
          numeric: true,
          cell: (row) => (
            <span class={lagTone(row.oldest_waiting_ms)}>
              {row.oldest_waiting_ms ? formatMilliseconds(row.oldest_waiting_ms) : '–'}
            </span>
          ),
        },
      ]}
    />
  );
}

const OUTCOMES = { done: ['good', 'done'], failed: ['bad', 'failed'], running: ['', 'running'] } as const;

function Schedules({ jobs }: { jobs: Jobs }) {
  return (
    <TablePanel
      title="Schedules"
      caption="Schedules"
      note="Cron expressions are read in UTC"
      testId="schedules"
      rows={jobs.schedules}
      rowKey={(row) => row.name}
      empty="Nothing is scheduled."
      columns={[
        {
          name: 'Schedule',
          cell: (row) => (
            <>
              {row.name}
              <span class="sub">{row.does}</span>
            </>
          ),
        },
        { name: 'When', cell: (row) => <code>{row.expression}</code>, look: 'wide-only' },
        {
          name: 'Last run',
          cell: ({ last_run: run }) =>
            run ? (
              <>
                <Moment at={run.at} />{' '}
                <span class={OUTCOMES[run.outcome][0]}>
                  {OUTCOMES[run.outcome][1]}, {formatMilliseconds(run.duration_ms)}
                </span>
              </>
            ) : (
              <span class="dim">none known</span>
            ),
        },
        { name: 'Next run', cell: (row) => (row.next_run_at ? <Moment at={row.next_run_at} /> : 'never') },
      ]}
    />
  );
}

function FailedJobs({ jobs }: { jobs: Jobs }) {
  return (
    <TablePanel
      title="Failed jobs"
      caption="Failed jobs"
      testId="failed-jobs"
      rows={jobs.failed}
      rowKey={(row) => `${row.queue} ${row.id}`}
      empty="No job has failed. One that fails for good is listed here with its reason, and what it held is kept."
      columns={[
        { name: 'Job', cell: (row) => <HostileText value={row.id} class="mono" /> },
        { name: 'Queue', cell: (row) => row.queue, look: 'wide-only' },
        { name: 'Failed', cell: (row) => (row.failed_at ? <Moment at={row.failed_at} /> : '–') },
        { name: 'Tries', numeric: true, cell: (row) => formatCount(row.attempts) },
        { name: 'Reason', cell: (row) => <HostileText value={row.reason} />, look: 'wraps' },
      ]}
    />
  );
}
