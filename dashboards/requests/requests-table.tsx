import { useMemo } from 'preact/hooks';
import { formatLatency } from '../format/number.ts';
import type { RequestRow } from '../http/contract/usage.ts';
import { countryName } from '../map/country-name.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { HttpStatus } from '../panels/http-status.tsx';
import { formatInstant, formatShortInstant } from '../time/label.ts';
import { rowKeys } from './row-keys.ts';

interface RequestsTableProps {
  /** Null while the first ones load. */
  rows: readonly RequestRow[] | null;
  stale: boolean;
  zone: string;
  onOpen: (index: number) => void;
}

export function RequestsTable({ rows, stale, zone, onOpen }: RequestsTableProps) {
  const keys = useMemo(() => rowKeys(rows ?? []), [rows]);
  if (!rows) return <RowsSkeleton />;
  if (rows.length === 0) {
    return (
      <section class="panel no-match" data-testid="requests-empty">
        <p>No request matches in this range.</p>
        <p class="dim">
          Choose a longer range or remove a filter. Single requests are kept for a shorter time than counts.
        </p>
      </section>
    );
  }
  return (
    <section
      class={`panel table-panel ${stale ? 'figures-stale' : ''}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
      tabIndex={0}
      aria-label="Requests"
      aria-busy={stale}
    >
      <table class="data explorer" data-testid="requests-table">
        <Headings zone={zone} />
        <tbody>
          {rows.map((row, index) => (
            <Row key={keys[index]} row={row} zone={zone} onOpen={() => onOpen(index)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Headings({ zone }: { zone: string }) {
  return (
    <thead>
      <tr>
        <th scope="col" class="at">
          Time ({zone})
        </th>
        <th scope="col" class="code">
          Status
        </th>
        <th scope="col" class="grow">
          Request
        </th>
        <th scope="col" class="num took">
          Latency
        </th>
        <th scope="col" class="key">
          Key
        </th>
        <th scope="col" class="wide-only place">
          Country
        </th>
        <th scope="col" class="wide-only agent">
          User agent
        </th>
      </tr>
    </thead>
  );
}

function Row({ row, zone, onOpen }: { row: RequestRow; zone: string; onOpen: () => void }) {
  const open = () => {
    // Marking text is not a click.
    if (!getSelection()?.toString()) onOpen();
  };
  return (
    // the button in the first cell does the same by keyboard
    <tr class="opens" onClick={open}>
      <th scope="row" title={formatInstant(row.timestamp, zone)}>
        <button type="button" class="row-open" aria-haspopup="dialog">
          {formatShortInstant(row.timestamp, zone)}
        </button>
      </th>
      <td>
        <HttpStatus status={row.status} />
      </td>
      <td>
        <span class="endpoint">
          <HostileText value={row.method} class="method" />
          <HostileText value={row.path || row.route} class="mono" />
        </span>
      </td>
      <td class="num">{formatLatency(row.latency_ms)}</td>
      <td>
        <HostileText value={row.key_id} class="mono" />
      </td>
      <td class="wide-only">
        <HostileText value={countryName(row.country)} />
      </td>
      <td class="wide-only">
        <HostileText value={row.user_agent} />
      </td>
    </tr>
  );
}

function RowsSkeleton() {
  return (
    <div class="panel skeleton-list" aria-hidden="true">
      {Array.from({ length: 14 }, (_, index) => (
        <i key={index} class="skeleton" />
      ))}
    </div>
  );
}
