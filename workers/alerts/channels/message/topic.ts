/** What an alert is about, more finely than its kind: pure. */
import type { AlertEvent } from '../../alert.ts';

type Topical = Pick<AlertEvent, 'kind' | 'scope'>;

/** Notices about a channel that does not deliver have the scope `channel:…` (delivery/channel-notice.ts). */
export const isAboutChannel = ({ kind, scope }: Topical): boolean =>
  kind === 'platform' && scope.startsWith('channel:');

/** Nothing is reported by anybody (evaluation/platform-silence.ts). */
export const isAboutSilence = ({ kind, scope }: Topical): boolean => kind === 'platform' && scope === 'silence';

/** Type of the key event behind an alert of a registry kind: a key that will be deactivated is not one that was. */
export function keyEventTypeOf({ kind, scope }: Topical): string {
  if (kind === 'key_deactivated' && scope === 'warning') return 'key.policy_warning';
  return kind === 'rotation_due' ? 'key.rotation_due' : kind.replace('_', '.');
}

/** Whether it tells the end of an alert. A notice that has nothing to resolve is stored as over when it opens. */
export const isEnd = ({ phase, transition }: Pick<AlertEvent, 'phase' | 'transition'>): boolean =>
  transition === 'resolved' || (phase === 'resolved' && transition !== 'opened');
