import { AlertPage } from './alert-page.tsx';
import { ChannelPage } from './channel-page.tsx';
import { ChannelsPage } from './channels-page.tsx';
import { DeliveriesPage } from './deliveries-page.tsx';
import { InboxPage } from './inbox-page.tsx';
import { RulePage } from './rule-page.tsx';
import { RulesPage } from './rules-page.tsx';
import { SilencesPage } from './silences-page.tsx';

/** The pages of this folder by their names in the address. */
export const PAGES = {
  alerts: InboxPage,
  alert: AlertPage,
  'alert-rules': RulesPage,
  'alert-rule': RulePage,
  channels: ChannelsPage,
  channel: ChannelPage,
  silences: SilencesPage,
  deliveries: DeliveriesPage,
};
