import { useState } from 'preact/hooks';
import { offsetLabel } from '../time/zone.ts';
import { allZones, browserZone } from '../time/zone-names.ts';

interface ZoneSelectProps {
  zone: string;
  /** The offset shown is the one at this moment. */
  at: number;
  onZone: (zone: string) => void;
}

export function ZoneSelect({ zone, at, onZone }: ZoneSelectProps) {
  // 430 options cost more to draw than the rest of the bar: they are listed when somebody reaches for the field.
  const [zones, setZones] = useState<string[]>([]);
  const list = () => zones.length === 0 && setZones(allZones());
  const own = browserZone();
  const first = [...new Set([own, 'UTC'])];
  const named = (name: string) => {
    const label = offsetLabel(at, name);
    return label === name ? name : `${name.replaceAll('_', ' ')} (${label})`;
  };
  return (
    <label class="field zone">
      <span class="sr-only">Time zone</span>
      <select value={zone} onPointerEnter={list} onFocus={list} onChange={(event) => onZone(event.currentTarget.value)}>
        <optgroup label="Yours and UTC">
          {first.map((name) => (
            <option key={name} value={name}>
              {named(name)}
            </option>
          ))}
        </optgroup>
        <optgroup label="All zones">
          {!first.includes(zone) && !zones.includes(zone) && <option value={zone}>{named(zone)}</option>}
          {zones
            .filter((name) => !first.includes(name))
            .map((name) => (
              <option key={name} value={name}>
                {name === zone ? named(name) : name.replaceAll('_', ' ')}
              </option>
            ))}
        </optgroup>
      </select>
    </label>
  );
}
