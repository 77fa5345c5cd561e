import type uPlot from 'uplot';
import { describe, expect, it } from 'vitest';
import type { Palette } from '../../dashboards/charts/palette.ts';
import { plotOptions } from '../../dashboards/charts/plot-options.ts';
import { axisFormatOf, writerOf } from '../../dashboards/charts/value-writer.ts';
import { type AxisFormat, formatAxisCount, formatAxisLatency, formatAxisRate } from '../../dashboards/format/axis.ts';
import { formatLatency, formatRate } from '../../dashboards/format/number.ts';

const LOCALE = 'en-US';

/** Labels from zero up, as many steps as the axis has. */
const labels = (format: AxisFormat, step: number, count = 4) =>
  Array.from({ length: count + 1 }, (_, index) => format(index * step, step, LOCALE));

describe('labels of a value axis', () => {
  it.each([
    [formatAxisRate, 0.2, ['0%', '20%', '40%', '60%', '80%']],
    [formatAxisRate, 0.025, ['0%', '2.5%', '5%', '7.5%', '10%']],
    [formatAxisRate, 0.0025, ['0%', '0.25%', '0.5%', '0.75%', '1%']],
    [formatAxisRate, 0.0002, ['0%', '0.02%', '0.04%', '0.06%', '0.08%']],
    [formatAxisRate, 0.000_002_5, ['0%', '0.00025%', '0.0005%', '0.00075%', '0.001%']],
    [formatAxisLatency, 0.2, ['0 ms', '0.2 ms', '0.4 ms', '0.6 ms', '0.8 ms']],
    [formatAxisLatency, 0.025, ['0 ms', '0.025 ms', '0.05 ms', '0.075 ms', '0.1 ms']],
    [formatAxisLatency, 2.5, ['0 ms', '2.5 ms', '5 ms', '7.5 ms', '10 ms']],
    [formatAxisLatency, 500, ['0 ms', '500 ms', '1 s', '1.5 s', '2 s']],
    [formatAxisLatency, 20_000, ['0 ms', '20 s', '40 s', '60 s', '80 s']],
    [formatAxisCount, 1, ['0', '1', '2', '3', '4']],
    [formatAxisCount, 5_000, ['0', '5,000', '10K', '15K', '20K']],
    [axisFormatOf('ratio'), 0.0002, ['0%', '0.02%', '0.04%', '0.06%', '0.08%']],
    [axisFormatOf('percent'), 0.5, ['0%', '0.5%', '1%', '1.5%', '2%']],
    [axisFormatOf('percent'), 50, ['0%', '50%', '100%', '150%', '200%']],
    [axisFormatOf('ms'), 0.2, ['0 ms', '0.2 ms', '0.4 ms', '0.6 ms', '0.8 ms']],
    [axisFormatOf('requests'), 2, ['0', '2', '4', '6', '8']],
    [axisFormatOf(undefined), 2, ['0', '2', '4', '6', '8']],
  ] as const)('%o in steps of %d', (format, step, expected) => expect(labels(format, step)).toEqual(expected));

  it('no two are alike, however small the step is', () => {
    for (const format of [formatAxisRate, formatAxisLatency]) {
      for (let power = -8; power <= 5; power++) {
        for (const multiple of [1, 2, 2.5, 5]) {
          const drawn = labels(format, Number(`${multiple}e${power}`), 6);
          expect(new Set(drawn).size, drawn.join(' ')).toBe(drawn.length);
        }
      }
    }
  });

  it('are written with the step that the chart chose', () => {
    const setup = { slots: [], zone: 'UTC', palette: {} as Palette, emptyTop: 1, wholeNumbers: false, cursorGroup: '' };
    const formatY: AxisFormat = (value, step) => `${value} by ${step}`;
    const write = plotOptions({ ...setup, formatY }).axes?.[1]?.values as uPlot.Axis.DynamicValues;
    expect(write({} as uPlot, [0, 0.2, 0.4], 1, 36, 0.2)).toEqual(['0 by 0.2', '0.2 by 0.2', '0.4 by 0.2']);
  });
});

describe('values read off a chart', () => {
  it.each([
    [null, '–'],
    [Number.NaN, '–'],
    [0, '0%'],
    [0.000_001, '0.0001%'],
    [0.000_321, '0.032%'],
    [0.0003, '0.03%'],
    [0.000_999_9, '0.1%'],
    [0.001, '0.1%'],
    [0.0042, '0.42%'],
    [0.1234, '12.3%'],
    [1, '100%'],
  ])('the rate %s reads %s', (ratio, text) => {
    expect(formatRate(ratio, LOCALE)).toBe(text);
  });

  it.each([
    [null, '–'],
    [0, '0 ms'],
    [0.2379, '0.24 ms'],
    [0.004, '0.004 ms'],
    [0.999, '1 ms'],
    [8.25, '8.3 ms'],
    [131.6, '132 ms'],
    [90_000, '1.5 min'],
  ])('%s milliseconds read %s', (ms, text) => expect(formatLatency(ms, LOCALE)).toBe(text));

  it('in alert evidence, too', () => {
    expect([writerOf('ratio')(0.0003), writerOf('ms')(0.24), writerOf('percent')(87.4)]).toEqual([
      '0.03%',
      '0.24 ms',
      '87%',
    ]);
  });
});
