import type { Channel, Routing } from '../http/contract/channels.ts';
import { kindName } from './alert-words.ts';

/** Whom a channel reaches, as far as it may be shown. */
export function receiverOf({ type, settings }: Pick<Channel, 'type' | 'settings'>): string {
  if (type === 'email' && Array.isArray(settings.to)) return settings.to.join(', ') || 'the owners of the keys';
  if (typeof settings.url_host === 'string') return settings.url_host;
  return type === 'pagerduty' ? `region ${settings.region ?? 'us'}` : '';
}

/** Which alerts it hears, in a few words. */
export function hearsOf({ purpose, routing }: Pick<Channel, 'purpose' | 'routing'>): string {
  if (purpose === 'key_events') return 'every change of a key';
  const { kinds, min_severity, environments, organizations, key_ids, quiet_hours } = routing;
  const parts = [
    kinds?.length ? kinds.map(kindName).join(', ') : 'all kinds',
    min_severity && `from ${min_severity}`,
    environments?.length && environments.join(', '),
    organizations?.length && `of ${organizations.join(', ')}`,
    key_ids?.length && `${key_ids.length} ${key_ids.length === 1 ? 'key' : 'keys'}`,
    quiet_hours && `quiet ${quiet_hours.from}–${quiet_hours.to}`,
  ];
  return parts.filter(Boolean).join(' · ');
}

/** What is edited of a channel. Secrets are only there when somebody enters them anew. */
export interface ChannelDraft {
  name: string;
  type: Channel['type'];
  purpose: Channel['purpose'];
  organization_id: string;
  enabled: boolean;
  to: string[];
  url: string;
  secret: string;
  region: string;
  routing: Routing;
}

export const NEW_CHANNEL: ChannelDraft = {
  name: '',
  type: 'email',
  purpose: 'alerts',
  organization_id: '',
  enabled: true,
  to: [],
  url: '',
  secret: '',
  region: 'us',
  routing: {},
};

export function draftOf(channel: Channel): ChannelDraft {
  const { name, type, purpose, organization_id, enabled, settings, routing } = channel;
  const to = Array.isArray(settings.to) ? settings.to.map(String) : [];
  const region = typeof settings.region === 'string' ? settings.region : 'us';
  return { name, type, purpose, organization_id, enabled, to, url: '', secret: '', region, routing };
}

/** What is sent to the api: fields that were left empty stay as they are there. */
export function bodyOf(draft: ChannelDraft): object {
  const { name, type, purpose, organization_id, enabled, to, url, secret, region, routing } = draft;
  const settings =
    type === 'email' ? { to } : type === 'webhook' ? { ...(url && { url }) } : type === 'pagerduty' ? { region } : {};
  const secretName = type === 'pagerduty' ? 'routing_key' : 'url';
  const secrets = secret && type !== 'email' && type !== 'webhook' ? { [secretName]: secret } : undefined;
  return {
    name,
    type,
    purpose,
    organization_id,
    enabled,
    settings,
    ...(secrets && { secrets }),
    routing: spared(routing),
  };
}

/** Whether the draft holds what was not saved yet. */
export function isChanged(draft: ChannelDraft, stored: Channel): boolean {
  return JSON.stringify(bodyOf(draft)) !== JSON.stringify(bodyOf(draftOf(stored)));
}

/** Empty lists mean "none" to the api, and "any" to whoever unticks every box. */
function spared(routing: Routing): Routing {
  return Object.fromEntries(
    Object.entries(routing).filter(
      ([, value]) => value !== '' && value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
