import { useState } from 'preact/hooks';
import { Link } from '../address/link.tsx';
import type { PageProps } from '../console/page-props.ts';
import { formatCount } from '../format/number.ts';
import type { Policy, PolicyRun } from '../http/contract/policies.ts';
import { useResource } from '../http/use-resource.ts';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { TablePanel } from '../panels/data-table.tsx';
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
  const [said, setSaid] = useState('');
  const undo = async (run: PolicyRun) => {
    const undone = await api.post<{ reactivated: number; left: number }>(`/v1/policy-runs/${run.run_id}/undo`);
    setSaid(
      `${formatCount(undone.reactivated)} keys are active again.` +
        (undone.left > 0 ? ` ${formatCount(undone.left)} were left as they are: expired, or changed since.` : ''),
    );
    onUndone();
  };
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
          <RunsTable runs={data} policy={policy} canUndo={canUndo} onUndo={undo} />
        </>
      )}
    </Part>
  );
}

interface RunsTableProps {
  runs: PolicyRun[];
  policy: Policy;
  canUndo: (run: PolicyRun) => boolean;
  onUndo: (run: PolicyRun) => Promise<void>;
}

function RunsTable({ runs, policy, canUndo, onUndo }: RunsTableProps) {
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
              <Link href={`/audit?search=${encodeURIComponent(policy.policy_id)}`}>{formatCount(row.changed)}</Link>
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
              <ConfirmButton text="Undo" look="quiet" title="Undo this run?" action="Undo" act={() => onUndo(row)}>
                <p>
                  The {formatCount(row.changed)} keys it deactivated become active again, except those that somebody
                  changed since.
                  {policy.enabled && ' The policy is switched on: it will meet them again with its next run.'}
                </p>
              </ConfirmButton>
            ),
        },
      ]}
    />
  );
}
