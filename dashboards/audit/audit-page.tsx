import { useCallback, useRef, useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { useAddressFields } from '../address/use-address-fields.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { Choice, FilterBar, SearchField } from '../forms/filter-bar.tsx';
import type { AuditEntry } from '../http/contract/access.ts';
import { usePages } from '../http/use-pages.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { MorePages } from '../panels/more-pages.tsx';
import { Pill } from '../panels/pill.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { useSearchKey } from '../range-bar/use-search-key.ts';
import { formatInstant } from '../time/label.ts';
import { browserZone } from '../time/zone-names.ts';
import { actionWords, changedFields } from './changed-fields.ts';
import { entryClock } from './entry-clock.ts';
import { useTokenNames } from './use-token-names.ts';

const written = entryClock(browserZone());
const FILTERS = ['search', 'action', 'actor', 'subject'] as const;
const GROUPS = [
  ['key.', 'Keys, anything'],
  ['key.deactivated', 'Keys deactivated'],
  ['key.reactivated', 'Keys reactivated'],
  ['key.expired', 'Keys expired'],
  ['key.regenerated', 'Secrets replaced'],
  ['policy.', 'Policies'],
  ['token.', 'Tokens'],
] as const;

/** Who did what to what, and why. */
export function AuditPage({ api, search, rights }: PageProps) {
  useTitle('Audit log');
  const [fields, set] = useAddressFields('/audit', search, FILTERS);
  const pages = usePages<AuditEntry>(api, '/v1/audit', fields, 50);
  const names = useTokenNames(api, rights.platform);
  const searchField = useRef<HTMLInputElement>(null);
  useSearchKey(searchField);
  const onSearch = useCallback((text: string) => set({ search: text }), [set]);
  const { first, items } = pages;
  return (
    <main class="page" aria-busy={first.loading && !first.data}>
      <div class="page-title">
        <h1>Audit log</h1>
        <p class="dim">Times in {browserZone()}</p>
      </div>
      <FilterBar>
        <SearchField
          label="Search the audit log"
          placeholder="Search by key, token, reason…"
          value={fields.search}
          field={searchField}
          onValue={onSearch}
        />
        <Choice name="What" value={fields.action} options={GROUPS} onChoose={(action) => set({ action })} />
        {(['actor', 'subject'] as const).map(
          (name) =>
            fields[name] && (
              <Pill
                key={name}
                name={name === 'actor' ? 'by' : 'to'}
                spoken={name}
                value={actorName(fields[name], names)}
                onRemove={() => set({ [name]: '' })}
              />
            ),
        )}
      </FilterBar>
      {first.problem && <ProblemPanel what="The audit log" problem={first.problem} onRetry={first.retry} />}
      {first.data && items.length === 0 && (
        <section class="panel no-match">
          <p>Nothing was done that matches these filters.</p>
        </section>
      )}
      {items.length > 0 && (
        <ol class="panel audit" data-testid="audit">
          {items.map((entry) => (
            <Entry
              key={`${entry.at} ${entry.subject} ${entry.action} ${entry.version}`}
              entry={entry}
              actor={actorName(entry.actor, names)}
              onActor={() => set({ actor: entry.actor })}
              onSubject={() => set({ subject: entry.subject })}
            />
          ))}
        </ol>
      )}
      <MorePages pages={pages} what="older entries" />
    </main>
  );
}

function actorName(actor: string, names: ReadonlyMap<string, string>): string {
  return names.get(actor) ?? actor.replace(/^policy:.{20,}$/, 'a policy');
}

interface EntryProps {
  entry: AuditEntry;
  actor: string;
  onActor: () => void;
  onSubject: () => void;
}

/** Ids of policies and tokens say nothing; the names they had then do. */
function nameOf({ action, before, after }: AuditEntry): string | undefined {
  const name = action.startsWith('key.') ? undefined : (after?.name ?? before?.name);
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function Entry({ entry, actor, onActor, onSubject }: EntryProps) {
  const [open, setOpen] = useState(false);
  const fields = open ? changedFields(entry.before, entry.after) : [];
  const hasMore = entry.before !== null || entry.after !== null;
  return (
    <li>
      <div class="audit-line">
        <time dateTime={entry.at} title={formatInstant(entry.at, browserZone())}>
          {written(entry.at)}
        </time>
        <span class="audit-what">
          <button type="button" class="quiet inline mono" onClick={onActor} title="Only what this one did">
            <HostileText value={actor} />
          </button>{' '}
          {actionWords(entry.action)}{' '}
          <button type="button" class="quiet inline mono" onClick={onSubject} title="Only what was done to this">
            <HostileText value={nameOf(entry) ?? entry.subject} />
          </button>
          {entry.reason && (
            <span class="dim">
              {' '}
              – <HostileText value={entry.reason} />
            </span>
          )}
        </span>
        {entry.action.startsWith('key.') && (
          <Link href={keyPath(entry.subject)} class="audit-link">
            Usage
          </Link>
        )}
        {hasMore && (
          <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Less' : 'Changes'}
          </button>
        )}
      </div>
      {open && (
        <dl class="changes">
          {fields.length === 0 && <p class="dim">No field differs.</p>}
          {fields.map((field) => (
            <div key={field.name}>
              <dt>{field.name}</dt>
              <dd>
                <del>
                  <HostileText value={field.before} />
                </del>
                <span aria-hidden="true"> → </span>
                <ins>
                  <HostileText value={field.after} />
                </ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
