import { describe, expect, test } from 'vitest';
import {
  dueNotices,
  dueReminder,
  type NoticeKey,
  reminderAt,
  rotationDueSince,
} from '../../../workers/keys/notices.ts';

const DAY_MS = 86_400_000;
const DAYS = [30, 14, 7, 3, 1, 0, -1];
const EXPIRY = Date.parse('2026-12-31T15:00:00Z');
const at = (days: number) => EXPIRY - days * DAY_MS;

const key = (over: Partial<NoticeKey> = {}): NoticeKey => ({
  key_id: 'k',
  organization_id: 'acme',
  name: 'Key',
  status: 'active',
  expires_at: new Date(EXPIRY).toISOString(),
  created_at: '2026-01-01T00:00:00.000Z',
  rotated_at: null,
  successor_key_id: '',
  owner_name: '',
  owner_email: '',
  successorInUse: false,
  ...over,
});

describe('the reminder that is due', () => {
  test.each<[string, Partial<NoticeKey>, number, number | undefined]>([
    ['31 days before', {}, at(31), undefined],
    ['a millisecond before the first', {}, at(30) - 1, undefined],
    ['exactly 30 days before', {}, at(30), 30],
    ['20 days before, after a downtime', {}, at(20), 30],
    ['5 days before, after a downtime over two reminders', {}, at(5), 7],
    ['the evening before', {}, at(0.7), 1],
    ['the morning of the day', {}, EXPIRY - 15 * 3_600_000, 0],
    ['after the expiry, not yet expired', {}, at(-0.1), undefined],
    ['expired, the same day', { status: 'expired' }, at(-0.5), undefined],
    ['expired, a day later', { status: 'expired' }, at(-1), -1],
    ['expired long ago', { status: 'expired' }, at(-9), undefined],
    ['inactive', { status: 'inactive' }, at(3), undefined],
    ['no expiry', { expires_at: null }, at(3), undefined],
    ['successor named, not used', { successor_key_id: 's' }, at(3), 3],
    ['successor in use', { successor_key_id: 's', successorInUse: true }, at(3), undefined],
    ['made after the reminder would have come', { created_at: new Date(at(5)).toISOString() }, at(4), undefined],
    ['made before the next reminder', { created_at: new Date(at(5)).toISOString() }, at(3), 3],
  ])('%s', (_name, over, nowMs, expected) => {
    expect(dueReminder(key(over), DAYS, nowMs)).toBe(expected);
  });

  test('minute by minute each reminder comes once, in order', () => {
    const ids: string[] = [];
    for (let nowMs = at(40); nowMs < at(-3); nowMs += 60_000) {
      const status = nowMs >= EXPIRY ? 'expired' : 'active';
      for (const { id } of dueNotices(key({ status }), { reminderDays: DAYS, rotationDays: 0 }, nowMs)) {
        if (ids.at(-1) !== id) ids.push(id);
      }
    }
    expect(ids).toEqual(DAYS.map((days) => `k@expiring@${EXPIRY}@${days}`));
  });

  test('a day is the day of the clock only for the reminder of the day itself', () => {
    expect(reminderAt(EXPIRY, 0)).toBe(Date.parse('2026-12-31T00:00:00Z'));
    expect(reminderAt(EXPIRY, 1)).toBe(Date.parse('2026-12-30T15:00:00Z'));
  });
});

describe('rotation', () => {
  const made = Date.parse('2026-01-01T00:00:00Z');
  test.each<[string, Partial<NoticeKey>, number, number | undefined]>([
    ['one day early', {}, made + 89 * DAY_MS, undefined],
    ['on the day', {}, made + 90 * DAY_MS, made + 90 * DAY_MS],
    ['rotated since', { rotated_at: '2026-02-01T00:00:00Z' }, made + 90 * DAY_MS, undefined],
    ['inactive', { status: 'inactive' }, made + 99 * DAY_MS, undefined],
    ['successor in use', { successorInUse: true }, made + 99 * DAY_MS, undefined],
  ])('%s', (_name, over, nowMs, expected) => {
    expect(rotationDueSince(key(over), 90, nowMs)).toBe(expected);
  });

  test('switched off', () => {
    expect(rotationDueSince(key(), 0, made + 900 * DAY_MS)).toBeUndefined();
  });
});
