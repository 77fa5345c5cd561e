import type { Route } from '../address/route.ts';
import type { Rights } from './rights.ts';

/** How far a token must reach for a page, as the api demands of the page's questions. Every token reaches the others. */
const REACH: Partial<Record<Route['page'], 'organization' | 'platform'>> = {
  'alert-rules': 'organization',
  'alert-rule': 'organization',
  channels: 'organization',
  channel: 'organization',
  silences: 'organization',
  deliveries: 'organization',
  policies: 'organization',
  policy: 'organization',
  connect: 'organization',
  audit: 'organization',
  tokens: 'platform',
  system: 'platform',
  jobs: 'platform',
};

/** Why a page is beyond the viewer's token; '' when it is not. */
export function refusalOf(page: Route['page'], { keyId, platform }: Rights): string {
  const reach = REACH[page];
  if (reach === 'organization' && keyId !== '') {
    return 'It is about a whole organization, and you are signed in with a token that is bound to one key.';
  }
  if (reach === 'platform' && !platform) {
    return 'It is for administrators of the whole platform: their token has the scope admin and is bound to nothing.';
  }
  return '';
}
