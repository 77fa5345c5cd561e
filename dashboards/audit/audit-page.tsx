import { useCallback, useRef } from 'preact/hooks';
import { useAddressFields } from '../address/use-address-fields.ts';
import { useTitle } from '../address/use-title.ts';
import type { PageProps } from '../console/page-props.ts';
import { Choice, FilterBar, SearchField } from '../forms/filter-bar.tsx';
import type { AuditEntry } from '../http/contract/access.ts';
import { usePages } from '../http/use-pages.ts';
import { MorePages } from '../panels/more-pages.tsx';
import { Pill } from '../panels/pill.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { useSearchKey } from '../range-bar/use-search-key.ts';
import { browserZone } from '../time/zone-names.ts';
import { Entry } from './audit-entry.tsx';
import { useTokenNames } from './use-token-names.ts';

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
        <ByAndTo {...{ fields, names, set }} />
      </FilterBar>
      {first.problem && <ProblemPanel what="The audit log" problem={first.problem} onRetry={first.retry} />}
      {first.data && items.length === 0 && (
        <section class="panel no-match">
          <p>Nothing was done that matches these filters.</p>
        </section>
      )}
      {items.length > 0 && <Entries {...{ names, set }} entries={items} />}
      <MorePages pages={pages} what="older entries" />
    </main>
  );
}

type Filters = Record<(typeof FILTERS)[number], string>;

interface NarrowingProps {
  names: ReadonlyMap<string, string>;
  set: (change: Partial<Filters>) => void;
}

/** What a click on a line has narrowed the log to. */
function ByAndTo({ fields, names, set }: NarrowingProps & { fields: Filters }) {
  return (
    <>
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
    </>
  );
}

function Entries({ entries, names, set }: NarrowingProps & { entries: AuditEntry[] }) {
  return (
    <ol class="panel audit" data-testid="audit">
      {entries.map((entry) => (
        <Entry
          key={`${entry.at} ${entry.subject} ${entry.action} ${entry.version}`}
          entry={entry}
          actor={actorName(entry.actor, names)}
          onActor={() => set({ actor: entry.actor })}
          onSubject={() => set({ subject: entry.subject })}
        />
      ))}
    </ol>
  );
}

function actorName(actor: string, names: ReadonlyMap<string, string>): string {
  return names.get(actor) ?? actor.replace(/^policy:.{20,}$/, 'a policy');
}
