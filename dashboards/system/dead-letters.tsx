import { useState } from 'preact/hooks';
import { formatCount } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { Refusal } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { ProblemPanel } from '../panels/problem-panel.tsx';
import { Moment } from '../time/moment.tsx';

interface DeadLetter {
  id: string;
  at: string;
  batch_id: string;
  rows: number;
  reason: string;
  outcome: string;
}

const OUTCOMES: Record<string, string> = {
  replayed: 'Counted now',
  counted_already: 'Had been counted already',
};

/** Records that could not be counted, with the reason and the way back. Not there in installations without the route. */
export function DeadLetters({ api }: { api: ApiClient }) {
  const letters = useResource('dead letters', (signal) =>
    api.get<{ data: DeadLetter[] }>('/v1/dead-letters', {}, signal),
  );
  const [said, setSaid] = useState('');
  const replay = useAction(async (letter: DeadLetter) => {
    const path = `/v1/dead-letters/${encodeURIComponent(letter.id)}/replay`;
    const { outcome, rows } = await api.post<{ outcome: string; rows: number }>(path);
    setSaid(`${OUTCOMES[outcome] ?? outcome}: ${formatCount(rows)} ${rows === 1 ? 'record' : 'records'}.`);
    letters.retry();
  });
  if (letters.problem && letters.problem.status !== 404) {
    return <ProblemPanel what="The dead letters" problem={letters.problem} onRetry={letters.retry} />;
  }
  if (!letters.data) return null;
  return (
    <>
      <p role="status">{said}</p>
      <Refusal problem={replay.problem} />
      <TablePanel
        title="Dead letters"
        caption="Dead letters"
        note="Records that could not be counted; nothing of them is lost"
        testId="dead-letters"
        rows={letters.data.data}
        rowKey={(row) => row.id}
        empty="No record was left out. One the store refuses lands here with its reason, and can be tried again."
        columns={[
          { name: 'Batch', cell: (row) => <HostileText value={row.batch_id} class="mono" /> },
          { name: 'When', cell: (row) => <Moment at={row.at} /> },
          { name: 'Records', numeric: true, cell: (row) => formatCount(row.rows) },
          { name: 'Reason', cell: (row) => <HostileText value={row.reason} />, look: 'wraps' },
          {
            name: 'Count after all',
            silent: true,
            look: 'num',
            cell: (row) =>
              row.outcome === 'waiting' && (
                <button type="button" class="quiet" disabled={replay.busy} onClick={() => replay.run(row)}>
                  Count after all
                </button>
              ),
          },
        ]}
      />
    </>
  );
}
