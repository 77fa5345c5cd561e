import { useState } from 'preact/hooks';
import { formatCount } from '../format/number.ts';
import type { ApiClient, Query } from '../http/client.ts';
import { type ProblemError, problemOf } from '../http/problem.ts';
import { ActionButton } from '../panels/action-button.tsx';
import { cutNote, MOST_EXPORT_ROWS, rowsOf } from './export-rows.ts';
import { saveFile } from './save-file.ts';

interface ExportButtonsProps {
  api: ApiClient;
  /** The question the table asked, without its paging: the file holds the rows of the view, up to the most of a file. */
  query: Query;
  disabled: boolean;
}

const FORMATS = [
  { name: 'CSV', type: 'text/csv', ending: 'csv' },
  { name: 'NDJSON', type: 'application/x-ndjson', ending: 'ndjson' },
] as const;

export function ExportButtons({ api, query, disabled }: ExportButtonsProps) {
  const [busy, setBusy] = useState('');
  const [problem, setProblem] = useState<ProblemError | null>(null);
  const [note, setNote] = useState<string | null>(null);

  const download = async ({ name, type, ending }: (typeof FORMATS)[number]) => {
    setBusy(name);
    setProblem(null);
    setNote(null);
    try {
      const until = String(query.to).slice(0, 16).replace(':', '');
      const file = await api.download('/v1/requests', query, type);
      saveFile(file, `requests-until-${until}Z.${ending}`);
      setNote(cutNote(await rowsOf(file, ending)));
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy('');
  };

  return (
    <div class="export">
      {problem && (
        <span class="bad" role="alert">
          The export failed: {problem.message}
        </span>
      )}
      {note && (
        <span class="warn" role="status" data-testid="export-note">
          {note}
        </span>
      )}
      {FORMATS.map((format) => (
        <ActionButton
          key={format.name}
          off={disabled || busy !== ''}
          hint={`All requests of this view, not only the loaded ones; ${formatCount(MOST_EXPORT_ROWS)} at most, the newest`}
          onAct={() => download(format)}
          testId={`export-${format.ending}`}
        >
          {busy === format.name ? 'Exporting…' : `Export ${format.name}`}
        </ActionButton>
      ))}
    </div>
  );
}
