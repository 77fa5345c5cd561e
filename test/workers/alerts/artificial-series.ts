/**
 * Artificial labelled series: shapes that monitoring really shows (flat noise, daily season, machine load with cron spikes,
 * sparse counts, bursts, weekly business, a drifting sensor, irregular road sensors) with the incidents people label.
 * Every number is drawn per instance, so that nothing can be tuned to one series.
 */
import type { LabelledSeries } from './labelled-series.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

interface Draft {
  stepSeconds: number;
  values: number[];
  incidents: { first: number; last: number }[];
}

type Shape = (random: SeededRandom) => Draft;

/** Picks non-overlapping starts in the later part of the series. */
function starts(random: SeededRandom, rows: number, count: number, length: number): number[] {
  const picked: number[] = [];
  for (let attempt = 0; attempt < 200 && picked.length < count; attempt++) {
    const start = random.integer(Math.floor(rows * 0.25), rows - length - 10);
    if (picked.every((other) => Math.abs(other - start) > rows / (2 * count + 2))) picked.push(start);
  }
  return picked.sort((a, b) => a - b);
}

/** AR(1) noise with unit variance. */
function smoothNoise(random: SeededRandom, rows: number, memory: number): number[] {
  let level = 0;
  return Array.from({ length: rows }, () => {
    level = memory * level + Math.sqrt(1 - memory * memory) * random.normal();
    return level;
  });
}

const FIVE_MINUTES = 300;
const DAY_ROWS = 288;

function dailyPulse(change: 'none' | 'up' | 'down' | 'flat' | 'missing' | 'wide'): Shape {
  return (random) => {
    const rows = 4032;
    const [low, high] = [random.between(10, 40), random.between(60, 100)];
    const noise = random.between(0.2, 4);
    const [open, close] = [random.integer(90, 110), random.integer(200, 230)];
    const day = random.integer(8, 12);
    const values = Array.from({ length: rows }, (_, row) => {
      const at = row % DAY_ROWS;
      const today = Math.floor(row / DAY_ROWS) === day;
      const late = change === 'wide' && today ? 40 : 0;
      let level = at >= open && at < close + late ? high : low;
      if (today && at >= open && at < close) {
        if (change === 'up') level = high + (high - low);
        if (change === 'down') level = low - (high - low) * 0.5;
        if (change === 'flat') level = (low + high) / 2;
        if (change === 'missing') level = low;
      }
      return level + noise * random.normal();
    });
    const first = day * DAY_ROWS + (change === 'wide' ? close : open);
    return {
      stepSeconds: FIVE_MINUTES,
      values,
      incidents: change === 'none' ? [] : [{ first, last: day * DAY_ROWS + close }],
    };
  };
}

/** Spikes whose density or height grows during the incident, on a flat or noisy floor. */
function spikes(change: 'density' | 'height' | 'none'): Shape {
  return (random) => {
    const rows = 4032;
    const at = starts(random, rows, 1, 300)[0]!;
    const [share, height, floor] = [random.between(0.01, 0.03), random.between(5, 30), random.between(0, 0.3)];
    const values = Array.from({ length: rows }, (_, row) => {
      const inside = row >= at && row < at + 250;
      const chance = inside && change === 'density' ? share * random.between(5, 9) : share;
      const tall = inside && change === 'height' ? random.between(1.8, 3) : 1;
      return (
        floor * Math.abs(random.normal()) + (random.uniform() < chance ? height * tall * random.between(0.8, 1.1) : 0)
      );
    });
    return { stepSeconds: FIVE_MINUTES, values, incidents: change === 'none' ? [] : [{ first: at, last: at + 250 }] };
  };
}

/** Flat noise whose spread or nothing changes. */
function flat(change: 'none' | 'amplitude' | 'shift' | 'constant'): Shape {
  return (random) => {
    const rows = 4032;
    const at = starts(random, rows, 1, 300)[0]!;
    const [level, noise] = [random.between(20, 90), change === 'constant' ? 0 : random.between(0.05, 5)];
    const values = Array.from({ length: rows }, (_, row) => {
      const inside = row >= at && row < at + 280;
      const spread = inside && change === 'amplitude' ? noise * random.between(2, 3) : noise;
      return level + (inside && change === 'shift' ? 4 * noise : 0) + spread * random.normal();
    });
    const labelled = change === 'amplitude' || change === 'shift';
    return { stepSeconds: FIVE_MINUTES, values, incidents: labelled ? [{ first: at, last: at + 280 }] : [] };
  };
}

/** CPU-like load: slow noise, cron spikes, then a level shift, a spike out of range, or a fall to nothing. */
const machineLoad: Shape = (random) => {
  const rows = 4032;
  const slow = smoothNoise(random, rows, random.between(0.5, 0.98));
  const [level, noise, fast] = [random.between(5, 50), random.between(0.3, 4), random.between(0.1, 2)];
  const [cronEvery, cronHeight] = [random.integer(30, 288), random.uniform() < 0.6 ? random.between(3, 25) : 0];
  const incidents: Draft['incidents'] = [];
  const values = slow.map((one, row) => {
    const cron = row % cronEvery < 2 ? cronHeight * random.between(0.6, 1.1) : 0;
    return Math.max(
      0,
      level + noise * one + fast * random.normal() + cron + (random.uniform() < 0.002 ? random.between(3, 15) : 0),
    );
  });
  for (const first of starts(random, rows, random.integer(1, 2), 400)) {
    const kind = random.integer(0, 3);
    const last = first + (kind === 0 ? random.integer(200, 390) : random.integer(1, 20));
    const [shift, tall] = [random.between(4, 10) * noise, cronHeight + random.between(8, 20) * noise];
    for (let row = first; row <= last; row++) {
      if (kind === 0) values[row] = values[row]! + shift;
      else if (kind === 1) values[row] = values[row]! + tall;
      else if (kind === 2) values[row] = values[row]! * 0.1;
      else values[row] = level + noise * 6 * random.normal();
    }
    incidents.push({ first, last });
  }
  return { stepSeconds: FIVE_MINUTES, values, incidents };
};

/** Small counts per bucket, often zero, heavy-tailed, with bursts as incidents. */
const sparseCounts: Shape = (random) => {
  const rows = 4032;
  const [mean, shape, daily] = [random.between(1, 60), random.between(0.4, 3), random.between(0, 0.8)];
  const values = Array.from({ length: rows }, (_, row) => {
    const season = 1 + daily * Math.sin((2 * Math.PI * row) / DAY_ROWS);
    return random.poisson((mean * season * random.gamma(shape)) / shape);
  });
  const incidents = starts(random, rows, random.integer(1, 2), 30).map((first) => {
    const last = first + random.integer(1, 25);
    for (let row = first; row <= last; row++)
      values[row] = Math.round((values[row]! + 3 * mean) * random.between(2, 4));
    return { first, last };
  });
  return { stepSeconds: FIVE_MINUTES, values, incidents };
};

/** Mentions of a name: daily season, bursts of every size that decay; the labelled ones are the largest. */
const mentions: Shape = (random) => {
  const rows = 15_840;
  const [mean, daily] = [random.between(5, 60), random.between(0.2, 0.8)];
  const extra = new Float64Array(rows);
  const burst = (at: number, height: number): void => {
    const decay = random.between(0.5, 0.9);
    for (let row = at, left = height; left > 0.5 && row < rows; row++, left *= decay) extra[row] = extra[row]! + left;
  };
  for (let count = 0; count < 60; count++) burst(random.integer(0, rows - 1), mean * (1 - random.uniform()) ** -0.6);
  const incidents = starts(random, rows, random.integer(2, 4), 40).map((first) => {
    burst(first, mean * random.between(12, 60));
    return { first, last: first + 12 };
  });
  const slow = smoothNoise(random, rows, 0.98);
  const values = slow.map((one, row) => {
    const season = 1 + daily * Math.sin((2 * Math.PI * row) / DAY_ROWS);
    return random.poisson((mean * season * Math.exp(0.25 * one) * random.gamma(8)) / 8 + extra[row]!);
  });
  return { stepSeconds: FIVE_MINUTES, values, incidents };
};

/** Half-hourly business with a daily and weekly shape; incidents are holidays, rushes and outages. */
const weeklyBusiness: Shape = (random) => {
  const rows = 10_320;
  const [mean, weekend, noise] = [random.between(100, 15_000), random.between(0.5, 1.1), random.between(0.03, 0.1)];
  const slow = smoothNoise(random, rows, 0.97);
  const values = slow.map((one, row) => {
    const hour = (row % 48) / 2;
    const day = Math.floor(row / 48) % 7;
    const shape = 0.25 + Math.exp(-((hour - 9) ** 2) / 8) + 1.3 * Math.exp(-((hour - 19) ** 2) / 10);
    const late = day >= 5 && hour < 4 ? 1.6 : 1;
    return Math.max(
      0,
      mean * shape * late * (day >= 5 ? weekend : 1) * (1 + noise * one + (noise / 2) * random.normal()),
    );
  });
  const incidents = starts(random, rows, random.integer(3, 5), 60).map((first) => {
    const begin = first - (first % 48);
    const factor = random.uniform() < 0.65 ? random.between(0.2, 0.7) : random.between(1.35, 2);
    const last = begin + (factor > 1 ? 8 : 47);
    for (let row = begin; row <= last; row++) values[row] = values[row]! * factor;
    return { first: begin, last };
  });
  return { stepSeconds: 1800, values, incidents };
};

/** A drifting sensor (temperature): slow walk, rough noise, deep drops; sometimes hourly. */
const sensor: Shape = (random) => {
  const hourly = random.uniform() < 0.4;
  const rows = hourly ? 7200 : random.integer(10_000, 22_000);
  const slow = smoothNoise(random, rows, hourly ? 0.99 : 0.998);
  const [level, spread, noise] = [random.between(60, 95), random.between(3, 8), random.between(0.2, 1.2)];
  const perDay = hourly ? 24 : DAY_ROWS;
  const daily = random.between(0, 0.6);
  const values = slow.map(
    (one, row) => level + spread * (one + daily * Math.sin((2 * Math.PI * row) / perDay)) + noise * random.normal(),
  );
  const incidents = starts(random, rows, random.integer(2, 4), 300).map((first) => {
    const last = first + random.integer(20, hourly ? 60 : 280);
    const depth = spread * random.between(2.5, 7) * (random.uniform() < 0.75 ? -1 : 1);
    for (let row = first; row <= last; row++)
      values[row] = values[row]! + depth * Math.sin((Math.PI * (row - first + 1)) / (last - first + 2));
    return { first, last };
  });
  return { stepSeconds: hourly ? 3600 : FIVE_MINUTES, values, incidents };
};

/** Prices and clicks per hour: noisy around a level with isolated spikes; a few are the incidents. */
const hourlyPrice: Shape = (random) => {
  const rows = random.integer(1500, 1650);
  const [level, noise, daily] = [random.between(0.1, 3), random.between(0.1, 0.35), random.between(0, 0.3)];
  const values = Array.from({ length: rows }, (_, row) => {
    const season = 1 + daily * Math.sin((2 * Math.PI * row) / 24);
    return (
      level * season * Math.exp(noise * random.normal()) * (random.uniform() < 0.008 ? random.between(1.5, 2.5) : 1)
    );
  });
  const incidents = starts(random, rows, random.integer(1, 4), 10).map((first) => {
    const last = first + random.integer(0, 6);
    for (let row = first; row <= last; row++) values[row] = values[row]! * random.between(2.2, 6);
    return { first, last };
  });
  return { stepSeconds: 3600, values, incidents };
};

/** Road occupancy or speed: irregular reports, rush hours, isolated jumps. */
const roadSensor: Shape = (random) => {
  const rows = random.integer(1100, 2500);
  const slow = smoothNoise(random, rows, random.between(0.6, 0.95));
  const speed = random.uniform() < 0.5;
  const values = slow.map((one, row) => {
    const rush = Math.max(0, Math.sin((2 * Math.PI * row) / 150)) ** 2;
    const wild = random.uniform() < 0.01 ? random.between(3, 12) : 0;
    return speed
      ? 70 - 8 * rush + 3 * one - wild + 2 * random.normal()
      : Math.max(0, 6 + 8 * rush + 2 * one + wild + random.normal());
  });
  const incidents = starts(random, rows, random.integer(1, 3), 25).map((first) => {
    const last = first + random.integer(1, 20);
    const size = random.between(15, 40) * (speed ? -1 : 1);
    for (let row = first; row <= last; row++) values[row] = values[row]! + size * random.between(0.6, 1);
    return { first, last };
  });
  return { stepSeconds: 420, values, incidents };
};

/** A latency: log-normal around a low floor, then slower for a while. */
const latency: Shape = (random) => {
  const rows = 4032;
  const [floor, noise] = [random.between(20, 60), random.between(0.03, 0.25)];
  const values = Array.from(
    { length: rows },
    () => floor * Math.exp(noise * random.normal() + (random.uniform() < 0.003 ? 0.8 : 0)),
  );
  const incidents = starts(random, rows, random.integer(1, 3), 120).map((first) => {
    const last = first + random.integer(3, 100);
    for (let row = first; row <= last; row++) values[row] = values[row]! * random.between(1.4, 2.2);
    return { first, last };
  });
  return { stepSeconds: FIVE_MINUTES, values, incidents };
};

const SHAPES: Record<string, Shape> = {
  'daily-plain': dailyPulse('none'),
  'daily-up': dailyPulse('up'),
  'daily-down': dailyPulse('down'),
  'daily-flat': dailyPulse('flat'),
  'daily-missing': dailyPulse('missing'),
  'daily-wide': dailyPulse('wide'),
  'spikes-density': spikes('density'),
  'spikes-height': spikes('height'),
  'spikes-plain': spikes('none'),
  'flat-plain': flat('none'),
  'flat-constant': flat('constant'),
  'flat-amplitude': flat('amplitude'),
  'flat-shift': flat('shift'),
  'machine-a': machineLoad,
  'machine-b': machineLoad,
  'machine-c': machineLoad,
  'machine-d': machineLoad,
  'machine-e': machineLoad,
  'counts-a': sparseCounts,
  'counts-b': sparseCounts,
  'mentions-a': mentions,
  'mentions-b': mentions,
  'mentions-c': mentions,
  weekly: weeklyBusiness,
  'sensor-a': sensor,
  'sensor-b': sensor,
  'price-a': hourlyPrice,
  'price-b': hourlyPrice,
  'price-c': hourlyPrice,
  'road-a': roadSensor,
  'road-b': roadSensor,
  'road-c': roadSensor,
  'latency-a': latency,
  'latency-b': latency,
};

const EPOCH_SECONDS = Date.UTC(2026, 0, 5) / 1000;

export function artificialSeries(seed: number): LabelledSeries[] {
  return Object.entries(SHAPES).map(([name, shape], index) => {
    const random = seededRandom(seed * 1000 + index);
    const draft = shape(random);
    const irregular = name.startsWith('road');
    let at = EPOCH_SECONDS;
    const timesSeconds = Float64Array.from(draft.values, () => {
      const now = at;
      at += irregular ? 60 * random.integer(4, random.uniform() < 0.02 ? 120 : 10) : draft.stepSeconds;
      return now;
    });
    return {
      name: `${name}-${seed}`,
      timesSeconds,
      values: Float64Array.from(draft.values),
      incidents: draft.incidents,
    };
  });
}
