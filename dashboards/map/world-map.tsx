import { useMemo, useState } from 'preact/hooks';
import { formatCompact, formatCount, formatPercent } from '../format/number.ts';
import type { CountryRow } from '../http/contract.ts';
import { countryName } from './country-name.ts';
import { SHADES, shadeOf } from './shade.ts';
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

interface Spot {
  code: string;
  x: number;
  y: number;
}

export default function WorldMap({ countries, total, summary, selected, onSelect }: WorldMapProps) {
  const [spot, setSpot] = useState<Spot | null>(null);
  const rows = useMemo(() => new Map(countries.map((row) => [row.country, row])), [countries]);
  const counts = countries.map((row) => row.requests).filter((requests) => requests > 0);
  const most = Math.max(0, ...counts);
  const least = Math.min(most, ...counts);
  const look = (code: string) => {
    const shade = shadeOf(rows.get(code)?.requests ?? 0, least, most);
    return `shade-${shade}${code && code === selected ? ' chosen' : ''}`;
  };

  const follow = (event: MouseEvent) => {
    const code = (event.target as Element).getAttribute('data-country');
    const frame = (event.currentTarget as Element).getBoundingClientRect();
    if (!code) return setSpot(null);
    setSpot({ code, x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height });
  };
  const choose = (event: MouseEvent) => {
    const code = (event.target as Element).getAttribute('data-country');
    if (code && rows.has(code)) onSelect?.(code);
  };

  return (
    <div class="map" data-testid="world-map">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table beside the map offers the same by keyboard */}
      <svg
        viewBox={`0 0 ${world.width} ${world.height}`}
        role="img"
        aria-label={`World map of requests. ${summary}`}
        onMouseMove={follow}
        onMouseLeave={() => setSpot(null)}
        onClick={choose}
      >
        {SHAPES.map(([code, path], index) => (
          <path key={code || index} d={path} class={look(code)} data-country={code || undefined} />
        ))}
        {DOTS.map(([code, x, y]) => (
          <circle key={code} cx={x} cy={y} r={rows.has(code) ? 5 : 2} class={look(code)} data-country={code} />
        ))}
      </svg>
      {spot && <MapReading spot={spot} row={rows.get(spot.code)} total={total} />}
      <Scale least={least} most={most} />
    </div>
  );
}

function MapReading({ spot, row, total }: { spot: Spot; row: CountryRow | undefined; total: number }) {
  return (
    <div
      class={spot.x > 0.6 ? 'tooltip tooltip-left' : 'tooltip'}
      style={{ left: `${spot.x * 100}%`, top: `${spot.y * 100}%` }}
    >
      <div class="tooltip-title">{countryName(spot.code)}</div>
      <div class="tooltip-row">
        <span>Requests</span>
        <b>{formatCount(row?.requests ?? 0)}</b>
        <span class="dim">{row && total ? formatPercent(row.requests / total) : ''}</span>
      </div>
      {row && (
        <div class="tooltip-row">
          <span>Error rate</span>
          <b>{formatPercent(row.error_rate)}</b>
        </div>
      )}
    </div>
  );
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
