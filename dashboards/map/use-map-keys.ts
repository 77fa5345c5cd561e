import type { RefObject } from 'preact';
import type { CountryRow } from '../http/contract/usage.ts';
import type { Spot } from './map-reading.tsx';

interface MapKeys {
  drawing: RefObject<SVGSVGElement | null>;
  countries: readonly CountryRow[];
  spot: Spot | null;
  setSpot: (spot: Spot | null) => void;
  onSelect?: (country: string) => void;
}

/** Where a country is drawn, as shares of the map. Null for what has no place on it, e.g. unknown. */
function placeOf(drawing: SVGSVGElement, code: string): Spot | null {
  const shape = drawing.querySelector(selectorOf(code));
  if (!shape) return null;
  const frame = drawing.getBoundingClientRect();
  const box = shape.getBoundingClientRect();
  return {
    code,
    x: (box.left + box.width / 2 - frame.left) / frame.width,
    y: (box.top + box.height / 2 - frame.top) / frame.height,
  };
}

/** Arrows walk through the countries with requests, the busiest first; a map has no better order for a reader. */
export function useMapKeys({ drawing, countries, spot, setSpot, onSelect }: MapKeys): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !drawing.current) return;
    if (event.key === 'Escape') return setSpot(null);
    if (event.key === 'Enter' && spot && countries.some((row) => row.country === spot.code)) {
      return onSelect?.(spot.code);
    }
    const forward = event.key === 'ArrowRight' || event.key === 'ArrowDown';
    if (!forward && event.key !== 'ArrowLeft' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    event.stopPropagation();
    const drawn = drawing.current;
    const places = countries.map((row) => row.country).filter((code) => drawn.querySelector(selectorOf(code)));
    const at = places.indexOf(spot?.code ?? '');
    const next = forward ? at + 1 : at < 0 ? places.length - 1 : at - 1;
    const code = places[Math.max(0, Math.min(places.length - 1, next))];
    if (code) setSpot(placeOf(drawn, code));
  };
}

function selectorOf(code: string): string {
  return `[data-country="${CSS.escape(code)}"]`;
}
