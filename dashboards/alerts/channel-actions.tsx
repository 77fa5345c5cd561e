import { useState } from 'preact/hooks';
import { go } from '../address/location.ts';
import { formatMilliseconds } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import type { Channel } from '../http/contract.ts';
import { useAction } from '../http/use-action.ts';
import { Confirm, Refusal } from '../panels/dialog.tsx';

interface TestResult {
  result: 'sent' | 'retry' | 'failed' | 'disable' | 'not_configured';
  response_status: number;
  detail: string;
  duration_ms: number;
}

interface ChannelActionsProps {
  api: ApiClient;
  channel: Channel;
  onSecret: (secret: string) => void;
}

export function ChannelActions({ api, channel, onSecret }: ChannelActionsProps) {
  const path = `/v1/channels/${channel.channel_id}`;
  const [asked, setAsked] = useState<'delete' | 'rotate' | null>(null);
  const [result, setResult] = useState<TestResult | null>(null);
  const test = useAction(async () => {
    setResult(null);
    setResult(await api.post<TestResult>(`${path}/test`));
  });
  const rotate = useAction(async () => {
    onSecret((await api.post<{ secret: string }>(`${path}/rotate-secret`)).secret);
    setAsked(null);
  });
  const remove = useAction(async () => {
    await api.remove(path);
    go('/channels');
  });
  return (
    <span class="title-actions">
      <span role="status" data-testid="test-result">
        {result && <TestWords result={result} />}
      </span>
      <Refusal problem={test.problem} />
      <button type="button" class="quiet" onClick={() => setAsked('delete')}>
        Delete
      </button>
      {channel.type === 'webhook' && (
        <button type="button" class="quiet" onClick={() => setAsked('rotate')}>
          New secret
        </button>
      )}
      <button type="button" disabled={test.busy} onClick={test.run} data-testid="send-test">
        {test.busy ? 'Sending…' : 'Send a test'}
      </button>
      {asked === 'rotate' && (
        <Confirm
          title="Make a new signing secret?"
          action="Make it"
          busy={rotate.busy}
          problem={rotate.problem}
          onConfirm={rotate.run}
          onClose={() => setAsked(null)}
        >
          <p>For 24 hours messages are signed with both, so the receiver can change over without losing one.</p>
        </Confirm>
      )}
      {asked === 'delete' && (
        <Confirm
          title="Delete this channel?"
          action="Delete"
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={remove.run}
          onClose={() => setAsked(null)}
        >
          <p>Messages that still wait for it are not sent. What was sent stays listed under deliveries.</p>
        </Confirm>
      )}
    </span>
  );
}

function TestWords({ result: { result, response_status, detail, duration_ms } }: { result: TestResult }) {
  const took = formatMilliseconds(duration_ms);
  if (result === 'sent') return <span class="good">Arrived in {took}.</span>;
  return (
    <span class="bad">
      {result === 'not_configured'
        ? 'Not configured'
        : `Not delivered${response_status ? ` (${response_status})` : ''}`}
      {detail && `: ${detail}`}
    </span>
  );
}
