import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { formatBytes, formatCount } from '../format/number.ts';
import type { SystemHealth } from '../http/contract/system.ts';
import { usePolling } from '../http/use-polling.ts';
import { useResource } from '../http/use-resource.ts';
import { AsOf } from '../panels/as-of.tsx';
import { TablePanel } from '../panels/data-table.tsx';
import { Facts } from '../panels/facts.tsx';
import { Part } from '../panels/part.tsx';
import { formatDate } from '../time/label.ts';
import { Moment } from '../time/moment.tsx';
import { browserZone } from '../time/zone-names.ts';
import { HealthCards } from './health-cards.tsx';
import { pipelineSentence } from './health-words.ts';
import { Invariants } from './invariants.tsx';
import { LargestKeys } from './largest-keys.tsx';
import { SystemTabs } from './system-tabs.tsx';

const POLL_MS = 5_000;

/** Whether Keytally itself is well. */
export function HealthPage({ api }: PageProps) {
  useTitle('System');
  const health = useResource('system', (signal) => api.get<SystemHealth>('/v1/system', {}, signal));
  const old = usePolling(health, POLL_MS);
  return (
    <main class="page">
      <div class="page-title">
        <h1>System</h1>
      </div>
      <SystemTabs current="/system" />
      <Part of={health} what="The system's health">
        {(answer, answeredAt) => (
          <div class="figures">
            <AsOf {...{ old, answeredAt }} onRetry={health.retry} testId="pipeline-sentence">
              {pipelineSentence(answer)}
            </AsOf>
            <HealthCards health={answer} />
            <Invariants api={api} />
            <div class="pair pair-wide">
              <StoreTable health={answer} />
              <Versions health={answer} />
            </div>
            <LargestKeys api={api} />
          </div>
        )}
      </Part>
    </main>
  );
}

function StoreTable({ health: { store } }: { health: SystemHealth }) {
  const most = store.tables[0]?.bytes ?? 0;
  return (
    <TablePanel
      title="Tables"
      caption="Tables of the store"
      testId="store-tables"
      rows={store.tables}
      rowKey={(row) => row.table}
      empty="The store has no tables yet."
      backdrop={(row) => (
        <i
          class="weight"
          aria-hidden="true"
          style={{ width: `${Math.max(0.5, most ? (row.bytes / most) * 100 : 0)}%` }}
        />
      )}
      look="weighted"
      columns={[
        { name: 'Table', cell: (row) => <span class="mono">{row.table}</span> },
        { name: 'Rows', numeric: true, cell: (row) => formatCount(row.rows) },
        { name: 'On disk', numeric: true, cell: (row) => formatBytes(row.bytes) },
        { name: 'Parts', numeric: true, cell: (row) => formatCount(row.parts), look: 'wide-only' },
      ]}
    />
  );
}

function Versions({ health }: { health: SystemHealth }) {
  const { retention_days: kept, redis, store, geo } = health;
  return (
    <Facts
      title="This installation"
      facts={[
        ['Keytally', health.version],
        ['Running since', <Moment key="since" at={health.process_started_at} now={Date.parse(health.now)} />],
        ['Node', health.node_version],
        ['ClickHouse', store.version],
        ['Redis', `${redis.version}, ${redis.appendonly ? 'append-only file' : 'without append-only file'}`],
        ['Country data', geo.built_at ? `of ${formatDate(geo.built_at, browserZone())}` : 'with the workers'],
        ['Single requests', `kept ${kept.requests} days`],
        ['Counts per minute', `kept ${kept.minute} days`],
        ['Per quarter hour', `kept ${kept.quarter_hour} days`],
        ['Per day', `kept ${kept.day} days`],
      ]}
    />
  );
}
