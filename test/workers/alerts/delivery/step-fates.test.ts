import { describe, expect, test } from 'vitest';
import type { DeliveryStatus } from '../../../../workers/alerts/delivery/deliveries.ts';
import { type Fate, fateOfHeld, fatesOf, type Step } from '../../../../workers/alerts/delivery/step-fates.ts';
import type { NotifyReason } from '../../../../workers/alerts/state.ts';

const PASSED = 'over before it was sent';
const UNTOLD = 'its opening was not told here';

/** `opened sent`, `resolved`, `seen`: a step with its status; without one it waits and was never tried. */
function step(words: string, fields: Partial<Step> = {}): Step {
  const [word, status = 'waiting'] = words.split(' ') as [NotifyReason | 'seen', DeliveryStatus];
  const notify = word === 'seen' ? '' : word;
  const at = { opened: 1, severity_raised: 2, repeated: 3, flapping: 4, seen: 4, resolved: 5 }[word];
  return {
    delivery_id: words,
    alert_id: 'a',
    notify,
    status,
    reason: '',
    message_id: status === 'waiting' ? '' : `message of ${words}`,
    event_at: new Date(at).toISOString(),
    next_attempt_at: null,
    ...fields,
  };
}

const passed = (words: string): Step => step(`${words} dropped`, { reason: PASSED });
const told: Fate = { fate: 'tell' };
const drop = (reason: string): Fate => ({ fate: 'drop', reason });
const later: Fate = { fate: 'later', untilMs: 0 };

describe('what becomes of steps that nothing was sent of', () => {
  const all = (words: string[]): Step[] => words.map((one) => step(one));
  test.each<[string, string[], Step[], Fate[]]>([
    ['an opening', ['opened'], [], [told]],
    ['an opening with its end', ['opened', 'resolved'], [], [drop(PASSED), drop(PASSED)]],
    ['an opening whose end was routed', ['opened'], [step('resolved')], [drop(PASSED)]],
    ['an opening whose end was sent', ['opened'], [step('resolved sent')], [drop(PASSED)]],
    ['an opening whose end was dropped', ['opened'], [step('resolved dropped')], [drop(PASSED)]],
    ['a raise whose end was sent', ['severity_raised'], [step('resolved sent')], [drop(PASSED)]],
    ['a repeat with its end', ['repeated', 'resolved'], [step('opened sent')], [drop(PASSED), told]],
    [
      'an opening that was held, raise and end',
      ['resolved'],
      [step('opened held'), step('severity_raised sent')],
      [told],
    ],
    ['the end of what was sent', ['resolved'], [step('opened sent')], [told]],
    ['the end of what is tried', ['resolved'], [step('opened retrying')], [later]],
    ['the end of what waits for its group', ['resolved'], [step('opened')], [later]],
    ['the end while a raise is tried', ['resolved'], [step('opened sent'), step('severity_raised retrying')], [later]],
    ['the end of what was given up', ['resolved'], [step('opened failed')], [drop(UNTOLD)]],
    ['the end of what is held', ['resolved'], [step('opened held')], [drop(PASSED)]],
    ['an acknowledgement of what was sent', ['seen'], [step('opened sent')], [told]],
    ['an acknowledgement with its opening', ['opened', 'seen'], [], [told, told]],
    ['an acknowledgement of what is tried', ['seen'], [step('opened retrying')], [later]],
    ['an acknowledgement of nothing', ['seen'], [], [drop(UNTOLD)]],
    ['an acknowledgement of what is over', ['seen'], [step('opened sent'), step('resolved')], [drop(PASSED)]],
    ['the end of what was only acknowledged', ['resolved'], [step('seen sent')], [drop(UNTOLD)]],
    ['the end of nothing', ['resolved'], [], [drop(UNTOLD)]],
    [
      'the end of what passed',
      ['resolved'],
      [passed('opened')],
      [{ fate: 'drop', reason: PASSED, pairedWith: 'message of opened dropped' }],
    ],
  ])('%s', (_name, fresh, others, fates) => {
    const given = all(fresh);
    expect(given.map((one) => fatesOf(given, others).get(one.delivery_id))).toEqual(fates);
  });

  test('alerts do not touch each other', () => {
    const other = step('opened', { alert_id: 'b', delivery_id: 'other' });
    const fates = fatesOf([step('opened'), step('resolved'), other], [step('opened sent', { alert_id: 'c' })]);
    expect([...fates.values()]).toEqual([drop(PASSED), drop(PASSED), told]);
    expect(fatesOf([step('resolved')], [other, { ...other, status: 'sent' }]).get('resolved')).toEqual(drop(UNTOLD));
  });

  test('an end waits until the last of what is tried is due', () => {
    const due = (words: string, ms: number) => step(words, { next_attempt_at: new Date(ms).toISOString() });
    const others = [due('opened retrying', 5_000), due('severity_raised retrying', 9_000)];
    expect(fatesOf([step('resolved')], others).get('resolved')).toEqual({ fate: 'later', untilMs: 9_000 });
  });
});

describe('what becomes of what quiet hours held', () => {
  const calm = { silenced: false, acknowledged: false };
  test.each<[string, Step, Step[], { silenced: boolean; acknowledged: boolean }, Fate]>([
    ['an opening', step('opened held'), [], calm, told],
    ['what is over', step('opened held'), [step('resolved sent')], calm, drop(PASSED)],
    [
      'what a raise has told',
      step('opened held'),
      [step('severity_raised sent')],
      calm,
      drop('a later message told it'),
    ],
    ['what a raise may tell yet', step('opened held'), [step('severity_raised retrying')], calm, told],
    ['a raise of what was told', step('severity_raised held'), [step('opened sent')], calm, told],
    ['silenced', step('opened held'), [], { ...calm, silenced: true }, drop('silenced before quiet hours ended')],
    ['seen', step('repeated held'), [], { ...calm, acknowledged: true }, drop('acknowledged before quiet hours ended')],
    ['an end, silenced', step('resolved held'), [step('opened sent')], { silenced: true, acknowledged: true }, told],
    ['an end beside its opening', step('resolved held'), [step('opened held')], calm, told],
    ['another alert is over', step('opened held'), [step('resolved sent', { alert_id: 'b' })], calm, told],
  ])('%s', (_name, held, others, now, fate) => {
    expect(fateOfHeld(held, others, now)).toEqual(fate);
  });
});
