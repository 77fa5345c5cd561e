import { useState } from 'preact/hooks';
import type { ApiClient, Query } from '../http/client.ts';
import { type ProblemError, problemOf } from '../http/problem.ts';
import { saveFile } from './save-file.ts';

interface ExportButtonsProps {
  api: ApiClient;
  /** The question the table asked, without its paging: the file holds exactly the rows of the view, all of them. */
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

  const download = async ({ name, type, ending }: (typeof FORMATS)[number]) => {
    setBusy(name);
    setProblem(null);
    try {
      const until = String(query.to).slice(0, 16).replace(':', '');
      saveFile(await api.download('/v1/requests', query, type), `requests-until-${until}Z.${ending}`);
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
      {FORMATS.map((format) => (
        <button
          key={format.name}
          type="button"
          disabled={disabled || busy !== ''}
          title="All requests of this view, not only the loaded ones"
          onClick={() => download(format)}
          data-testid={`export-${format.ending}`}
        >
          {busy === format.name ? 'Exporting…' : `Export ${format.name}`}
        </button>
      ))}
    </div>
  );
}
