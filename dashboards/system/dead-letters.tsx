import { useEffect, useState } from 'preact/hooks';
import { useAddressFields } from '../address/use-address-fields.ts';
import type { PageProps } from '../console/page-props.ts';
import type { DeadLetter, SettledLetter } from '../http/contract/system.ts';
import { useAction } from '../http/use-action.ts';
import { type Pages, usePages } from '../http/use-pages.ts';
import { usePolling } from '../http/use-polling.ts';
import { Refusal } from '../panels/dialog.tsx';
import { MorePages } from '../panels/more-pages.tsx';
import { Part } from '../panels/part.tsx';
import { DeadLetterTable } from './dead-letter-table.tsx';
import { recordsText, settledText } from './dead-letter-words.ts';

const POLL_MS = 3_000;
/** Batches pass the queue within seconds; one that waits longer is on the page of health. */
const WATCHED_MS = 60_000;
const FIELDS = ['outcome'] as const;

/** Records that could not be counted, with the reason, the way back and the way out. */
export function DeadLetters({ api, search, rights }: Pick<PageProps, 'api' | 'search' | 'rights'>) {
  const [fields, set] = useAddressFields('/jobs', search, FIELDS);
  const pages = usePages<DeadLetter>(api, '/v1/dead-letters', fields, 50, { idOf: ({ id }) => id });
  const [said, setSaid] = useState('');
  const watch = useWatch(pages);
  const path = ({ id }: DeadLetter) => `/v1/dead-letters/${encodeURIComponent(id)}`;
  const settled = (words: string) => {
    setSaid(words);
    watch();
  };
  const replay = useAction(async (letter: DeadLetter) =>
    settled(settledText(await api.post<SettledLetter>(`${path(letter)}/replay`))),
  );
  const drop = async (letter: DeadLetter) => {
    await api.remove(path(letter));
    settled(`Given up: ${recordsText(letter.rows)}.`);
  };
  return (
    <Part of={pages.first} what="The dead letters">
      {() => (
        <div class="stack">
          <p role="status" class={said ? 'panel notice' : ''} data-testid="letters-said">
            {said}
          </p>
          <Refusal problem={replay.problem} />
          <DeadLetterTable
            letters={pages.items}
            outcome={fields.outcome}
            onOutcome={(outcome) => set({ outcome })}
            busy={replay.busy}
            mayDrop={rights.platform}
            onReplay={replay.run}
            onDrop={drop}
          />
          <MorePages pages={pages} what="older dead letters" />
        </div>
      )}
    </Part>
  );
}

/** What was sent on its way may come back; not under the eyes of somebody who reads on. */
function useWatch({ first, isLong }: Pages<DeadLetter>): () => void {
  const [watched, setWatched] = useState(0);
  usePolling(first, POLL_MS, watched > 0 && !isLong);
  useEffect(() => {
    if (watched === 0) return;
    const timer = setTimeout(() => setWatched(0), WATCHED_MS);
    return () => clearTimeout(timer);
  }, [watched]);
  return () => {
    setWatched((times) => times + 1);
    first.retry();
  };
}
