import { formatCount } from '../format/number.ts';
import { Choice } from '../forms/filter-bar.tsx';
import type { DeadLetter } from '../http/contract/system.ts';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { type DataColumn, TablePanel } from '../panels/data-table.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { LeavingButton } from '../panels/leaving-button.tsx';
import { Moment } from '../time/moment.tsx';
import { recordsText, sampleText } from './dead-letter-words.ts';

const STATES: [value: string, label: string][] = [
  ['replayed', 'counted after all'],
  ['dropped', 'given up'],
];
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

interface WaysOutProps {
  letter: DeadLetter;
  busy: boolean;
  mayDrop: boolean;
  onReplay: (letter: DeadLetter) => void;
  onDrop: (letter: DeadLetter) => Promise<void>;
}

interface DeadLetterTableProps extends Omit<WaysOutProps, 'letter'> {
  letters: DeadLetter[];
  /** '' = those that wait. */
  outcome: string;
  onOutcome: (outcome: string) => void;
}

export function DeadLetterTable({ letters, outcome, onOutcome, ...ways }: DeadLetterTableProps) {
  const actions: DataColumn<DeadLetter> = {
    name: 'What to do',
    silent: true,
    look: 'num',
    cell: (row) => row.outcome === 'waiting' && <WaysOut letter={row} {...ways} />,
  };
  return (
    <TablePanel
      title="Dead letters"
      caption="Dead letters"
      note="Records that could not be counted; nothing of them is lost"
      actions={<Choice name="Dead letters" any="waiting" value={outcome} options={STATES} onChoose={onOutcome} />}
      testId="dead-letters"
      rows={letters}
      rowKey={(row) => row.id}
      empty={
        outcome
          ? 'No dead letter ended like this.'
          : 'No record was left out. One the store refuses lands here with its reason, and can be tried again.'
      }
      columns={[...COLUMNS, actions]}
    />
  );
}

function WaysOut({ letter, busy, mayDrop, onReplay, onDrop }: WaysOutProps) {
  return (
    <>
      <LeavingButton look="quiet" busy={busy} onClick={() => onReplay(letter)}>
        Count after all
      </LeavingButton>
      <ConfirmButton
        text="Give up"
        look="quiet"
        disabled={!mayDrop}
        title="Give these records up?"
        action="Give up"
        act={() => onDrop(letter)}
      >
        <p>
          {recordsText(letter.rows)} will never be counted: what they held is deleted. The reason stays listed, and who
          gave them up is noted in the audit log.
        </p>
      </ConfirmButton>
    </>
  );
}
