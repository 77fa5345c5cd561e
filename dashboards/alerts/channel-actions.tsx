import { useState } from 'preact/hooks';
import { go } from '../address/location.ts';
import { formatMilliseconds } from '../format/number.ts';
import type { ApiClient } from '../http/client.ts';
import type { Channel } from '../http/contract/channels.ts';
import { useAction } from '../http/use-action.ts';
import { ActionButton } from '../panels/action-button.tsx';
import { ConfirmButton } from '../panels/confirm-button.tsx';
import { Refusal } from '../panels/dialog.tsx';

interface TestResult {
  result: 'sent' | 'retry' | 'failed' | 'disable' | 'not_configured';
  response_status: number;
  detail: string;
  duration_ms: number;
}

interface ChannelActionsProps {
  api: ApiClient;
  channel: Channel;
  /** Unsaved changes: what is tested is what was saved. */
  changed: boolean;
  onSecret: (secret: string) => void;
}

export function ChannelActions({ api, channel, changed, onSecret }: ChannelActionsProps) {
  const path = `/v1/channels/${channel.channel_id}`;
  const { updated_at } = channel;
  const [tested, setTested] = useState<{ updated_at: string; result: TestResult } | null>(null);
  const test = useAction(async () => {
    setTested(null);
    setTested({ updated_at, result: await api.post<TestResult>(`${path}/test`) });
  });
  return (
    <span class="title-actions">
      <span role="status" data-testid="test-result">
        {/* Of the channel as it was before it was saved: it may hold no longer. */}
        {tested?.updated_at === updated_at && <TestWords result={tested.result} />}
      </span>
      <Refusal problem={test.problem} />
      <ConfirmButton
        text="Delete"
        look="quiet"
        title="Delete this channel?"
        action="Delete"
        act={async () => {
          await api.remove(path);
          go('/channels');
        }}
      >
        <p>Messages that still wait for it are not sent. What was sent stays listed under deliveries.</p>
      </ConfirmButton>
      {channel.type === 'webhook' && (
        <ConfirmButton
          text="New secret"
          look="quiet"
          title="Make a new signing secret?"
          action="Make it"
          act={async () => onSecret((await api.post<{ secret: string }>(`${path}/rotate-secret`)).secret)}
        >
          <p>For 24 hours messages are signed with both, so the receiver can change over without losing one.</p>
        </ConfirmButton>
      )}
      <ActionButton off={test.busy || changed} hint={changed ? 'Save first' : ''} onAct={test.run} testId="send-test">
        {test.busy ? 'Sending…' : 'Send a test'}
      </ActionButton>
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
