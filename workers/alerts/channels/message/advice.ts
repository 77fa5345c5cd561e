import type { AlertEvent, AlertEvidence, Contribution } from '../../alert.ts';
import { isAboutChannel, isAboutSilence, keyEventTypeOf } from './topic.ts';

/** What to do first, in a sentence or two. The reader is on call and has not seen this key before. */
export function adviceOf(event: Pick<AlertEvent, 'kind' | 'scope' | 'evidence'>): string[] {
  const { kind, evidence } = event;
  if (isAboutChannel(event)) return [ABOUT_CHANNELS];
  if (isAboutSilence(event)) return [ABOUT_SILENCE];
  if (kind.startsWith('key_') || kind === 'rotation_due') return adviceForKeyEvent(keyEventTypeOf(event));
  switch (kind) {
    case 'error_rate':
      return [aboutErrors(evidence.contributions ?? [])];
    case 'traffic_anomaly':
      return [aboutTraffic(evidence.direction)];
    case 'latency':
      return [
        'Compare the slow endpoint with other keys: slow for all means the service, slow for one means its queries or its network.',
      ];
    case 'new_country':
    case 'country_mix':
      return [
        'Ask the owner whether they moved or added a region. If nobody knows of it, treat the secret as leaked: regenerate it.',
      ];
    case 'near_limit':
      return [aboutLimit(evidence)];
    default:
      return [ABOUT_KEYS[kind] ?? ''];
  }
}

const ABOUT_CHANNELS =
  'See under Channels why its receiver does not take messages, repair it and send a test. What failed meanwhile can be sent again from the list of deliveries.';
const ABOUT_SILENCE =
  'Check the way of the reports first: do your gateways still run, do they reach the collector, is their token still valid? Alerts of single keys wait meanwhile.';

const ABOUT_KEYS: Readonly<Record<string, string>> = {
  key_expiring:
    'Hand its owner a successor key, or give this one a later expiry. After that moment its requests are refused.',
  key_expired: 'If it is still needed, reactivate it with a new expiry. Otherwise there is nothing to do.',
  key_deactivated: 'If it is still needed, reactivate it on its page. Otherwise tell its owner.',
  key_unused: 'Ask the owner whether it can go. A key nobody uses is one that nobody would miss when it is stolen.',
  rotation_due: 'Regenerate the secret and hand it to the owner; the id and all figures stay.',
  key_leaked: 'Regenerate the secret now, then look through the requests since it was found.',
  platform:
    'Look at the platform first: last release, database, network, and whether usage data arrive in time. Alerts of single keys are held back meanwhile.',
};

/** The same words for key events, whose types are written with a dot. */
export function adviceForKeyEvent(type: string): string[] {
  const kind = type === 'key.rotation_due' ? 'rotation_due' : type.replace('.', '_');
  if (type === 'key.policy_warning') return ['Use the key, change the policy or exempt the key if it must stay.'];
  const advice = Object.hasOwn(ABOUT_KEYS, kind) ? ABOUT_KEYS[kind] : undefined;
  return advice === undefined ? [] : [advice];
}

function aboutErrors(contributions: readonly Contribution[]): string {
  const status = contributions.find((one) => one.dimension === 'status')?.value ?? '';
  if (status === '401' || status === '403') {
    return 'The caller is refused: has its secret been replaced, or its scopes? Ask the owner for their last change.';
  }
  if (status === '429') return 'The caller runs into a limit. Ask the owner to slow down, or raise the limit.';
  if (status.startsWith('5')) {
    return 'These answers come from your own service. Look at the endpoint and its last release before you ask the owner.';
  }
  if (status.startsWith('4'))
    return 'The caller sends what the service refuses. Ask the owner what changed on their side.';
  return 'Open the failed requests of this key and compare them with the last release.';
}

function aboutTraffic(direction: AlertEvidence['direction']): string {
  if (direction === 'silence' || direction === 'drop') {
    return 'Ask the owner whether they stopped on purpose. If not, check that their requests still reach your gateway.';
  }
  return 'See which endpoint grew. A loop or a retry storm is the usual cause; a stolen secret is the bad one.';
}

function aboutLimit({ limit }: AlertEvidence): string {
  if (limit && limit.used >= limit.limit) {
    return 'Raise the limit or move the key to a larger plan if this use is wanted; otherwise tell the owner.';
  }
  return 'Tell the owner before they run into it, or raise the limit.';
}
