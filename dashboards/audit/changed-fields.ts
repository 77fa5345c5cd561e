export interface ChangedField {
  name: string;
  before: string;
  after: string;
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What differs, by field; of a new thing its filled fields. */
export function changedFields(
  before: Record<string, unknown> | null,
  after: Record<string, unknown> | null,
): ChangedField[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .map((name) => ({ name, before: shown(before?.[name]), after: shown(after?.[name]) }))
    .filter((field) => field.before !== field.after);
}

export const ACTION_WORDS: Readonly<Record<string, string>> = {
  'key.registered': 'registered the key',
  'key.updated': 'changed the key',
  'key.deactivated': 'deactivated the key',
  'key.reactivated': 'reactivated the key',
  'key.expired': 'let the key expire',
  'key.deleted': 'deleted the key',
  'key.regenerated': 'gave the key a new secret',
  'key.leaked': 'noted a leak of the key',
  'policy.created': 'made a policy',
  'policy.updated': 'changed a policy',
  'policy.deleted': 'deleted a policy',
  'token.created': 'made a token',
  'token.rotated': 'replaced a token',
  'token.revoked': 'revoked a token',
  'plan.changed': 'changed the plan',
  'plan.deleted': 'deleted the plan',
  'api_description.imported': 'imported an API description',
  'api_description.deleted': 'deleted an API description',
  'alert_rule.created': 'made an alert rule',
  'alert_rule.updated': 'changed an alert rule',
  'alert_rule.deleted': 'deleted an alert rule',
  'alert_rule.applied': 'applied alert rules from a',
  'alert.acknowledged': 'acknowledged an alert',
  'silence.created': 'made a silence',
  'silence.ended': 'ended a silence',
  'channel.created': 'made a channel',
  'channel.updated': 'changed a channel',
  'channel.deleted': 'deleted a channel',
  'channel.secret_rotated': 'gave a channel a new secret',
  'channel.disabled': 'switched a channel off',
  'channel.unsubscribed': 'took an address out of a channel',
  'delivery.replayed': 'sent deliveries again:',
  'dead_letter.replayed': 'replayed a dead letter',
  'dead_letter.dropped': 'gave a dead letter up',
};

/** An action as a sentence has it; those this page does not know are shown as they are called. */
export function actionWords(action: string): string {
  return ACTION_WORDS[action] ?? action;
}
