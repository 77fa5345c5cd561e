/**
 * Writes world-paths.json: `node dashboards/map/generate-world-paths.mjs`. Run it after an update of world-atlas.
 * Projecting here instead of in the browser keeps d3-geo and topojson out of the bundle.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { geoCentroid, geoNaturalEarth1, geoPath } from 'd3-geo';
import isoCountries from 'i18n-iso-countries';
import { feature } from 'topojson-client';

const require = createRequire(import.meta.url);
const WIDTH = 1000;
const HEIGHT = 482;

/** Not shapes of their own in Natural Earth (parts of another state, or left out for size): [longitude, latitude]. */
const WITHOUT_SHAPE = {
  GF: [-53, 4],
  GP: [-61.5, 16.2],
  MQ: [-61, 14.65],
  RE: [55.5, -21.1],
  YT: [45.2, -12.8],
  BQ: [-68.3, 12.2],
  GI: [-5.35, 36.14],
  CC: [96.9, -12.2],
  CX: [105.7, -10.5],
  SJ: [16, 78],
  TK: [-171.8, -9.2],
  TV: [178, -8.5],
  BV: [3.4, -54.4],
  UM: [166.6, 19.3],
};

/** Shapes without an ISO number in the source. Kosovo has a code in common use; the others are drawn without one. */
const BY_NAME = { Kosovo: 'XK' };

function load(file) {
  const atlas = JSON.parse(readFileSync(require.resolve(`world-atlas/${file}`), 'utf8'));
  return feature(atlas, atlas.objects.countries).features;
}

function codeOf(shape) {
  return (shape.id && isoCountries.numericToAlpha2(shape.id)) || BY_NAME[shape.properties.name] || '';
}

/** Integer steps from point to point: a third smaller than absolute coordinates after compression. */
function compact(path) {
  return path
    .split('M')
    .slice(1)
    .map((ring) => {
      const points = ring
        .replace('Z', '')
        .split('L')
        .map((pair) => pair.split(',').map(Number));
      const [first, ...rest] = points;
      let [x, y] = first;
      const steps = [];
      for (const [nextX, nextY] of rest) {
        if (nextX === x && nextY === y) continue;
        steps.push(`${nextX - x},${nextY - y}`);
        [x, y] = [nextX, nextY];
      }
      return steps.length < 2 ? '' : `M${first}l${steps.join(' ')}z`;
    })
    .join('')
    .replaceAll(',-', '-')
    .replaceAll(' -', '-');
}

const small = load('countries-110m.json').filter((shape) => shape.properties.name !== 'Antarctica');
const land = { type: 'FeatureCollection', features: small };
const projection = geoNaturalEarth1().fitSize([WIDTH, HEIGHT], land);
const draw = geoPath(projection).digits(0);

const shapes = small
  .map((shape) => [codeOf(shape), compact(draw(shape) ?? '')])
  .filter(([, path]) => path)
  .sort(([a], [b]) => (a < b ? -1 : 1));

const drawn = new Set(shapes.map(([code]) => code));
const places = { ...WITHOUT_SHAPE };
for (const shape of load('countries-50m.json')) {
  const code = codeOf(shape);
  if (code && code !== 'AQ' && !drawn.has(code)) places[code] = geoCentroid(shape);
}
const dots = Object.entries(places)
  .map(([code, place]) => [code, ...projection(place).map(Math.round)])
  .sort(([a], [b]) => (a < b ? -1 : 1));

const missing = Object.keys(isoCountries.getAlpha2Codes()).filter(
  (code) => code !== 'AQ' && !drawn.has(code) && !dots.some(([dot]) => dot === code),
);
if (missing.length) throw new Error(`no place on the map for ${missing.join(' ')}: add it to WITHOUT_SHAPE`);

const target = new URL('./world-paths.json', import.meta.url);
writeFileSync(target, `${JSON.stringify({ width: WIDTH, height: HEIGHT, shapes, dots })}\n`);
console.log(`${shapes.length} shapes, ${dots.length} dots`);
