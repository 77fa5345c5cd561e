import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { formatCompact } from '../format/number.ts';
import type { CountryRow } from '../http/contract/usage.ts';
import { MapReading, type Spot } from './map-reading.tsx';
import { SHADES, shadeOf } from './shade.ts';
import { useMapKeys } from './use-map-keys.ts';
import world from './world-paths.json';

const SHAPES = world.shapes as [code: string, path: string][];
const DOTS = world.dots as [code: string, x: number, y: number][];

interface WorldMapProps {
  countries: readonly CountryRow[];
  total: number;
  summary: string;
  selected?: string;
  onSelect?: (country: string) => void;
}

export default function WorldMap({ countries, total, summary, selected, onSelect }: WorldMapProps) {
  const [spot, setSpot] = useState<Spot | null>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const rows = useMemo(() => new Map(countries.map((row) => [row.country, row])), [countries]);
  const counts = countries.map((row) => row.requests).filter((requests) => requests > 0);
  const most = Math.max(0, ...counts);
  const least = Math.min(most, ...counts);
  const shapes = useShapes({ rows, least, most, selected, pointed: spot?.code });
  const pressed = useMapKeys({ drawing, countries, spot, setSpot, onSelect });

  const choose = (event: MouseEvent) => {
    const code = (event.target as Element).getAttribute('data-country');
    if (code && rows.has(code)) onSelect?.(code);
  };
  const reading = spot && <MapReading code={spot.code} row={rows.get(spot.code)} total={total} />;

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields; this groups a drawing and its reading
    <div
      class="map"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk from country to country
      tabIndex={0}
      aria-label={`World map of requests. ${summary} Arrow keys walk through the countries, Enter chooses one.`}
      onKeyDown={pressed}
      onBlur={() => setSpot(null)}
      data-testid="world-map"
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the group around it answers the keys */}
      <svg
        ref={drawing}
        viewBox={`0 0 ${world.width} ${world.height}`}
        role="img"
        aria-label={summary}
        onMouseMove={(event) => setSpot(spotUnder(event))}
        onMouseLeave={() => setSpot(null)}
        onClick={choose}
      >
        {shapes}
      </svg>
      {spot && <Balloon spot={spot}>{reading}</Balloon>}
      <div class="sr-only" aria-live="polite">
        {reading}
      </div>
      <Scale least={least} most={most} />
    </div>
  );
}

interface ShapesProps {
  rows: ReadonlyMap<string, CountryRow>;
  least: number;
  most: number;
  selected: string | undefined;
  pointed: string | undefined;
}

/** Every country in its shade. A moving pointer draws its reading again, not 240 countries. */
function useShapes({ rows, least, most, selected, pointed }: ShapesProps) {
  const look = (code: string) => {
    const shade = shadeOf(rows.get(code)?.requests ?? 0, least, most);
    const lit = code && code === pointed ? ' pointed' : '';
    return `shade-${shade}${code && code === selected ? ' chosen' : ''}${lit}`;
  };
  return useMemo(
    () => [
      ...SHAPES.map(([code, path], index) => (
        <path key={code || index} d={path} class={look(code)} data-country={code || undefined} />
      )),
      ...DOTS.map(([code, x, y]) => (
        <circle key={code} cx={x} cy={y} r={rows.has(code) ? 5 : 2} class={look(code)} data-country={code} />
      )),
    ],
    [rows, selected, pointed],
  );
}

function Balloon({ spot, children }: { spot: Spot; children: ComponentChildren }) {
  return (
    <div
      class={spot.x > 0.6 ? 'tooltip tooltip-left' : 'tooltip'}
      style={{ left: `${spot.x * 100}%`, top: `${spot.y * 100}%` }}
    >
      {children}
    </div>
  );
}

/** The country under the pointer, and where on the map. */
function spotUnder(event: MouseEvent): Spot | null {
  const code = (event.target as Element).getAttribute('data-country');
  const frame = (event.currentTarget as Element).getBoundingClientRect();
  if (!code) return null;
  return { code, x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height };
}

function Scale({ least, most }: { least: number; most: number }) {
  if (most === 0) return null;
  return (
    <div class="map-scale" aria-hidden="true">
      <span>{formatCompact(least)}</span>
      {Array.from({ length: SHADES }, (_, index) => (
        <i key={index} class={`shade-${index + 1}`} />
      ))}
      <span>{formatCompact(most)}</span>
    </div>
  );
}
