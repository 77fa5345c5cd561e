import { useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import type { PageProps } from '../console/page-props.ts';
import { formatCount } from '../format/number.ts';
import type { Policy, PolicyRun } from '../http/contract.ts';
import { useAction } from '../http/use-action.ts';
import { useResource } from '../http/use-resource.ts';
import { TablePanel } from '../panels/data-table.tsx';
import { Confirm } from '../panels/dialog.tsx';
import { HostileText } from '../panels/hostile-text.tsx';
import { Part } from '../panels/part.tsx';
import { Moment } from '../time/moment.tsx';

interface PolicyRunsProps extends Pick<PageProps, 'api' | 'rights'> {
  policy: Policy;
  runs: number;
  onUndone: () => void;
}

const OUTCOMES: Record<PolicyRun['outcome'], string> = {
  running: 'running, or cut off',
  done: 'done',
  stopped: 'stopped',
  undone: 'undone',
};

/** What the policy did, and the way back. */
export function PolicyRuns({ api, rights, policy, runs, onUndone }: PolicyRunsProps) {
  const path = `/v1/policies/${policy.policy_id}/runs`;
  const history = useResource(`${path} ${runs}`, (signal) => api.get<{ data: PolicyRun[] }>(path, {}, signal));
  const [asked, setAsked] = useState<PolicyRun | null>(null);
  const [said, setSaid] = useState('');
  const undo = useAction(async (run: PolicyRun) => {
    const undone = await api.post<{ reactivated: number; left: number }>(`/v1/policy-runs/${run.run_id}/undo`);
    setAsked(null);
    setSaid(
      `${formatCount(undone.reactivated)} keys are active again.` +
        (undone.left > 0 ? ` ${formatCount(undone.left)} were left as they are: expired, or changed since.` : ''),
    );
    onUndone();
  });
  const canUndo = (run: PolicyRun) => rights.manage && run.changed > 0 && run.outcome !== 'undone';
  return (
    <Part of={history} what="The runs">
      {({ data }) => (
        <>
          {said && (
            <p class="panel notice" role="status" data-testid="undone">
              {said}
            </p>
          )}
          <RunsTable runs={data} policyId={policy.policy_id} canUndo={canUndo} onUndo={setAsked} />
          {asked && (
            <Confirm
              title="Undo this run?"
              action="Undo"
              busy={undo.busy}
              problem={undo.problem}
              onConfirm={() => undo.run(asked)}
              onClose={() => setAsked(null)}
            >
              <p>
                The {formatCount(asked.changed)} keys it deactivated become active again, except those that somebody
                changed since.
                {policy.enabled && ' The policy is switched on: it will meet them again with its next run.'}
              </p>
            </Confirm>
          )}
        </>
      )}
    </Part>
  );
}

interface RunsTableProps {
  runs: PolicyRun[];
  policyId: string;
  canUndo: (run: PolicyRun) => boolean;
  onUndo: (run: PolicyRun) => void;
}

function RunsTable({ runs, policyId, canUndo, onUndo }: RunsTableProps) {
  return (
    <TablePanel
      title="Runs"
      caption="Runs of this policy"
      note="Only runs that met keys"
      testId="policy-runs"
      rows={runs}
      rowKey={(row) => row.run_id}
      empty="It has not met a key yet. Runs appear here with what they changed."
      columns={[
        { name: 'Started', cell: (row) => <Moment at={row.started_at} /> },
        { name: 'Outcome', cell: (row) => <span title={row.detail}>{OUTCOMES[row.outcome]}</span> },
        { name: 'Matched', numeric: true, cell: (row) => formatCount(row.matched) },
        { name: 'Warned', numeric: true, cell: (row) => formatCount(row.warned), look: 'wide-only' },
        {
          name: 'Deactivated',
          numeric: true,
          cell: (row) =>
            row.changed ? (
              <Link href={`/audit?search=${encodeURIComponent(policyId)}`}>{formatCount(row.changed)}</Link>
            ) : (
              '0'
            ),
        },
        { name: 'By', cell: (row) => <HostileText value={row.actor} class="mono" />, look: 'wide-only' },
        {
          name: 'Undo',
          silent: true,
          look: 'num',
          cell: (row) =>
            canUndo(row) && (
              <button type="button" class="quiet" onClick={() => onUndo(row)}>
                Undo
              </button>
            ),
        },
      ]}
    />
  );
}
