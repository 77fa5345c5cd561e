import { useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import type { AuditEntry } from '../http/contract/access.ts';
import { HostileText } from '../panels/hostile-text.tsx';
import { formatInstant } from '../time/label.ts';
import { browserZone } from '../time/zone-names.ts';
import { actionWords, changedFields } from './changed-fields.ts';
import { entryClock } from './entry-clock.ts';

const written = entryClock(browserZone());

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

export function Entry({ entry, actor, onActor, onSubject }: EntryProps) {
  const [open, setOpen] = useState(false);
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
      {open && <Changes entry={entry} />}
    </li>
  );
}

function Changes({ entry: { before, after } }: Pick<EntryProps, 'entry'>) {
  const fields = changedFields(before, after);
  return (
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
  );
}
