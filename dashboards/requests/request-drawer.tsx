import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { formatCount, formatLatency } from '../format/number.ts';
import { STATUS_CODES } from '../format/status-text.ts';
import type { RequestRow } from '../http/contract/usage.ts';
import { countryName } from '../map/country-name.ts';
import { HttpStatus } from '../panels/http-status.tsx';
import { useModal } from '../panels/use-modal.ts';
import { formatInstant } from '../time/label.ts';
import { FILTER_LABELS, type RequestFilterName } from './requests-view.ts';

interface RequestDrawerProps {
  row: RequestRow;
  zone: string;
  /** Which of how many loaded rows this is, counted from 0. */
  position: [index: number, count: number];
  onStep: (step: -1 | 1) => void;
  onFilter: (name: RequestFilterName, value: string) => void;
  onClose: () => void;
}

/** One request with every field that is kept of it. */
export function RequestDrawer({ row, zone, position, onStep, onFilter, onClose }: RequestDrawerProps) {
  const { dialog, onClose: closed } = useModal(onClose);
  const [index, count] = position;
  const pressed = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onStep(step);
  };
  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-label="One request"
      data-testid="request-drawer"
      onClose={closed}
      onKeyDown={pressed}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="drawer-body">
        <header class="drawer-head">
          <HttpStatus status={row.status} />
          <span class="dim">{STATUS_CODES[row.status] ?? ''}</span>
          <span class="drawer-steps">
            <Step name="Newer" arrow="↑" end={index === 0} onStep={() => onStep(-1)} />
            <Step name="Older" arrow="↓" end={index === count - 1} onStep={() => onStep(1)} />
            <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
              ✕
            </button>
          </span>
        </header>
        <Fields row={row} zone={zone} onFilter={onFilter} />
        <CopyButton row={row} />
      </div>
    </dialog>
  );
}

interface StepProps {
  name: string;
  arrow: string;
  /** There is no row beyond this one. */
  end: boolean;
  onStep: () => void;
}

/** Not disabled at the end: who stepped there by keyboard would lose the focus. */
function Step({ name, arrow, end, onStep }: StepProps) {
  return (
    <button type="button" class="quiet" aria-disabled={end} aria-label={name} onClick={() => !end && onStep()}>
      {arrow}
    </button>
  );
}

type FieldsProps = Pick<RequestDrawerProps, 'row' | 'zone' | 'onFilter'>;

function Fields({ row, zone, onFilter }: FieldsProps) {
  const filterable = (name: RequestFilterName, shown?: ComponentChildren) => (
    <Field
      name={FILTER_LABELS[name] ?? name}
      value={shown ?? row[name]}
      onFilter={row[name] ? () => onFilter(name, String(row[name])) : undefined}
    />
  );
  return (
    <dl class="fields">
      <Field name="time" value={formatInstant(row.timestamp, zone)} />
      <Field name="UTC" value={row.timestamp} />
      {filterable('key_id', <Link href={keyPath(row.key_id)}>{row.key_id}</Link>)}
      {filterable('method')}
      <Field name="path" value={row.path} />
      {filterable('route')}
      {filterable('status')}
      <Field name="latency" value={row.latency_ms === null ? null : formatLatency(row.latency_ms)} />
      <Field name="rate limited" value={row.rate_limited ? 'yes' : 'no'} />
      <Field name="error" value={row.error} />
      {filterable('country', row.country ? `${countryName(row.country)} (${row.country})` : '')}
      <Field name="address" value={row.ip} />
      <Field name="user agent" value={row.user_agent} />
      <Field name="request size" value={`${formatCount(row.request_bytes)} bytes`} />
      <Field name="response size" value={`${formatCount(row.response_bytes)} bytes`} />
      <Field name="request id" value={row.request_id} />
      {filterable('service')}
      {filterable('environment')}
    </dl>
  );
}

interface FieldProps {
  name: string;
  value: ComponentChildren;
  onFilter?: () => void;
}

/** In full, unlike in the table: here a 4 KB user agent may take its lines. */
function Field({ name, value, onFilter }: FieldProps) {
  const missing = value === null || value === undefined || value === '';
  return (
    <div>
      <dt>{name}</dt>
      <dd>{missing ? <span class="dim">not reported</span> : <bdi>{value}</bdi>}</dd>
      {onFilter && (
        <dd>
          <button type="button" class="quiet" aria-label={`Show only this ${name}`} onClick={onFilter}>
            Filter
          </button>
        </dd>
      )}
    </div>
  );
}

function CopyButton({ row }: { row: RequestRow }) {
  const [copied, setCopied] = useState<RequestRow | null>(null);
  const copy = () => navigator.clipboard?.writeText(JSON.stringify(row, null, 2)).then(() => setCopied(row));
  // Only pages of a secure origin may use the clipboard.
  if (!navigator.clipboard) return null;
  return (
    <button type="button" onClick={copy}>
      {copied === row ? 'Copied' : 'Copy as JSON'}
    </button>
  );
}
