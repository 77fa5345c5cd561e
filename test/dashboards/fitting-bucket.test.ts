import { expect, it } from 'vitest';
import { readView, withFittingBucket } from '../../dashboards/usage-tab/view.ts';

const NOW = Date.parse('2026-11-20T21:17:42Z');

it.each([
  ['range=1h&bucket=minute', 'minute'],
  ['range=24h&bucket=minute', 'minute'],
  ['range=3d&bucket=minute', 'auto'],
  ['range=7d&bucket=minute', 'auto'],
  ['range=14d&bucket=quarter_hour', 'quarter_hour'],
  ['range=30d&bucket=quarter_hour', 'auto'],
  ['range=90d&bucket=hour', 'hour'],
  ['range=90d&bucket=week', 'week'],
  ['range=7d', 'auto'],
  ['from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&bucket=minute', 'minute'],
  ['from=2026-11-01T00:00:00Z&to=2026-11-09T00:00:00Z&bucket=minute', 'auto'],
])('%s is shown with the bucket %s', (search, bucket) => {
  const view = readView(new URLSearchParams(search), 'UTC');
  expect(withFittingBucket(view, NOW)).toEqual({ ...view, bucket });
});
