import { useEffect, useState } from 'preact/hooks';
import { useAddressFields } from '../address/use-address-fields.ts';
import type { PageProps } from '../console/page-props.ts';
import { formatCount } from '../format/number.ts';
import { Choice } from '../forms/filter-bar.tsx';
import type { DeadLetter, SettledLetter } from '../http/contract/system.ts';
import { useAction } from '../http/use-action.ts';
import { usePages } from '../http/use-pages.ts';
import { usePolling } from '../http/use-polling.ts';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { type DataColumn, TablePanel } from '../panels/data-table.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { MorePages } from '../panels/more-pages.tsx';
import { Part } from '../panels/part.tsx';
import { Moment } from '../time/moment.tsx';
import { recordsText, sampleText, settledText } from './dead-letter-words.ts';

const STATES: [value: string, label: string][] = [
  ['replayed', 'counted after all'],
  ['dropped', 'given up'],
];
const POLL_MS = 3_000;
/** Batches pass the queue within seconds; one that waits longer is on the page of health. */
const WATCHED_MS = 60_000;
const FIELDS = ['outcome'] as const;

/** Records that could not be counted, with the reason, the way back and the way out. */
export function DeadLetters({ api, search, rights }: Pick<PageProps, 'api' | 'search' | 'rights'>) {
  const [fields, set] = useAddressFields('/jobs', search, FIELDS);
  const pages = usePages<DeadLetter>(api, '/v1/dead-letters', fields, 50, { idOf: ({ id }) => id });
  const [said, setSaid] = useState('');
  const { retry } = pages.first;
  // What was sent on its way may come back; not under the eyes of somebody who reads on.
  const [watched, setWatched] = useState(0);
  usePolling(pages.first, POLL_MS, watched > 0 && !pages.isLong);
  useEffect(() => {
    if (watched === 0) return;
    const timer = setTimeout(() => setWatched(0), WATCHED_MS);
    return () => clearTimeout(timer);
  }, [watched]);
  const path = ({ id }: DeadLetter) => `/v1/dead-letters/${encodeURIComponent(id)}`;
  const settled = (words: string) => {
    setSaid(words);
    setWatched((times) => times + 1);
    retry();
  };
  const replay = useAction(async (letter: DeadLetter) =>
    settled(settledText(await api.post<SettledLetter>(`${path(letter)}/replay`))),
  );
  const drop = async (letter: DeadLetter) => {
    await api.remove(path(letter));
    settled(`Given up: ${recordsText(letter.rows)}.`);
  };
  const actions: DataColumn<DeadLetter> = {
    name: 'What to do',
    silent: true,
    look: 'num',
    cell: (row) =>
      row.outcome === 'waiting' && (
        <>
          <LeavingButton look="quiet" busy={replay.busy} onClick={() => replay.run(row)}>
            Count after all
          </LeavingButton>
          <ConfirmButton
            text="Give up"
            look="quiet"
            disabled={!rights.platform}
            title="Give these records up?"
            action="Give up"
            act={() => drop(row)}
          >
            <p>
              {recordsText(row.rows)} will never be counted: what they held is deleted. The reason stays listed, and who
              gave them up is noted in the audit log.
            </p>
          </ConfirmButton>
        </>
      ),
  };
  return (
    <Part of={pages.first} what="The dead letters">
      {() => (
        <div class="stack">
          <p role="status" class={said ? 'panel notice' : ''} data-testid="letters-said">
            {said}
          </p>
          <Refusal problem={replay.problem} />
          <TablePanel
            title="Dead letters"
            caption="Dead letters"
            note="Records that could not be counted; nothing of them is lost"
            actions={
              <Choice
                name="Dead letters"
                any="waiting"
                value={fields.outcome}
                options={STATES}
                onChoose={(outcome) => set({ outcome })}
              />
            }
            testId="dead-letters"
            rows={pages.items}
            rowKey={(row) => row.id}
            empty={
              fields.outcome
                ? 'No dead letter ended like this.'
                : 'No record was left out. One the store refuses lands here with its reason, and can be tried again.'
            }
            columns={[...COLUMNS, actions]}
          />
          <MorePages pages={pages} what="older dead letters" />
        </div>
      )}
    </Part>
  );
}

const COLUMNS: DataColumn<DeadLetter>[] = [
  { name: 'Letter', cell: (row) => <HostileText value={row.id} class="mono" /> },
  { name: 'When', cell: (row) => <Moment at={row.at} /> },
  { name: 'Records', numeric: true, cell: (row) => formatCount(row.rows) },
  { name: 'Reason', cell: (row) => <HostileText value={row.reason} />, look: 'wraps' },
  {
    name: 'First of them',
    look: 'wide-only wraps',
    cell: (row) => <HostileText value={sampleText(row.sample)} class="mono" empty="not readable" />,
  },
];
