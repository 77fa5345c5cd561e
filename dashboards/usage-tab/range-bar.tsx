import { BUCKET_NAMES, BUCKETS, type BucketChoice, bucketFits } from '../time/buckets.ts';
import { PRESETS, type Preset, type Span, sameRange } from '../time/range.ts';
import { CustomRange } from './custom-range.tsx';
import type { UsageView } from './view.ts';
import { ZoneSelect } from './zone-select.tsx';

interface RangeBarProps {
  view: UsageView;
  span: Span;
  /** What "auto" came to. */
  bucket: Exclude<BucketChoice, 'auto'> | null;
  updating: boolean;
  onView: (view: UsageView) => void;
  onRefresh: () => void;
}

/** Which part of time is shown, in which zone, in which steps. */
export function RangeBar({ view, span, bucket, updating, onView, onRefresh }: RangeBarProps) {
  const length = span.to - span.from;
  return (
    <div class="range-bar" role="toolbar" aria-label="Time range">
      <div class="segments">
        {(Object.keys(PRESETS) as Preset[]).map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={sameRange(view.range, { preset })}
            onClick={() => onView({ ...view, range: { preset } })}
          >
            {preset}
          </button>
        ))}
        <CustomRange view={view} span={span} onView={onView} />
      </div>
      <label class="field">
        <span class="sr-only">Bucket</span>
        <select
          value={view.bucket}
          onChange={(event) => onView({ ...view, bucket: event.currentTarget.value as BucketChoice })}
        >
          {(['auto', ...BUCKETS] as const).map((choice) => (
            <option key={choice} value={choice} disabled={!bucketFits(choice, length)}>
              {choice === 'auto' && bucket ? `Auto (${BUCKET_NAMES[bucket].toLowerCase()})` : BUCKET_NAMES[choice]}
            </option>
          ))}
        </select>
      </label>
      <ZoneSelect zone={view.zone} at={span.to} onZone={(zone) => onView({ ...view, zone })} />
      <div class="range-actions">
        <button
          type="button"
          class="live"
          aria-pressed={view.live}
          disabled={!('preset' in view.range)}
          title={'preset' in view.range ? 'Refresh every 10 seconds' : 'A fixed range does not move'}
          onClick={() => onView({ ...view, live: !view.live })}
        >
          <i aria-hidden="true" />
          Live
        </button>
        <button type="button" onClick={onRefresh} aria-busy={updating}>
          {updating ? 'Updating…' : 'Refresh'}
        </button>
      </div>
    </div>
  );
}
