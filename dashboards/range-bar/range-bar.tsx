import type { ComponentChildren } from 'preact';
import { PRESETS, type Preset, type Span, sameRange } from '../time/range.ts';
import type { TimeView } from '../time/time-view.ts';
import { CustomRange } from './custom-range.tsx';
import { ZoneSelect } from './zone-select.tsx';

interface RangeBarProps<View extends TimeView> {
  view: View;
  span: Span;
  updating: boolean;
  onView: (view: View) => void;
  onRefresh: () => void;
  /** Choices that only one page has. */
  children?: ComponentChildren;
}

/** Which part of time is shown, and in which zone. */
export function RangeBar<View extends TimeView>(props: RangeBarProps<View>) {
  const { view, span, updating, onView, onRefresh, children } = props;
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
      {children}
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
