/**
 * Simulates keys over six weeks of history and two test weeks and prints false alerts per key-week and incidents caught:
 * `node <out>/test/workers/alerts/simulate-counts.js [--keys 2000] [--seed 1] [--json]`
 */

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ERROR_RULES, openingsOf, type RuleName, TRAFFIC_RULES } from './count-rules.ts';
import { INCIDENT_KINDS, type Incident, type IncidentKind, simulatedKey } from './simulated-traffic.ts';

export interface RuleResult {
  rule: RuleName;
  falseAlerts: number;
  falsePerKeyWeek: number;
  keysWithFalseShare: number;
  medianDelayMinutes: number | null;
  caught: Partial<Record<IncidentKind, string>>;
  caughtCounts: Partial<Record<IncidentKind, { caught: number; of: number }>>;
}

const TEST_WEEKS = 2;
const BUCKET_MINUTES = 5;
/** An alert this soon after an incident ended still speaks of it. */
const AFTER_BUCKETS = 12;

interface Tally {
  falseAlerts: number;
  keysWithFalse: number;
  delays: number[];
  caught: Map<IncidentKind, { caught: number; of: number }>;
}

/** Whether a rule is meant for this kind of incident. */
const isFor = (rule: RuleName, kind: IncidentKind): boolean => ERROR_RULES.includes(rule) === kind.startsWith('errors');

function count(tally: Tally, rule: RuleName, openings: number[], incident: Incident | null): void {
  const during = (at: number): boolean =>
    incident !== null && at >= incident.first && at <= incident.last + AFTER_BUCKETS;
  const wrong = openings.filter((at) => !during(at)).length;
  tally.falseAlerts += wrong;
  if (wrong > 0) tally.keysWithFalse++;
  if (!incident || !isFor(rule, incident.kind)) return;
  const entry = tally.caught.get(incident.kind) ?? { caught: 0, of: 0 };
  tally.caught.set(incident.kind, entry);
  entry.of++;
  const hit = openings.find((at) => at >= incident.first && at <= incident.last);
  if (hit === undefined) return;
  entry.caught++;
  tally.delays.push((hit - incident.first) * BUCKET_MINUTES);
}

export function simulate(keys: number, seed: number): RuleResult[] {
  const rules = [...TRAFFIC_RULES, ...ERROR_RULES];
  const tallies = new Map<RuleName, Tally>(
    rules.map((rule) => [rule, { falseAlerts: 0, keysWithFalse: 0, delays: [], caught: new Map() }]),
  );
  for (let index = 0; index < keys; index++) {
    const key = simulatedKey(seed, index);
    const openings = openingsOf(key);
    for (const rule of rules) count(tallies.get(rule)!, rule, openings[rule], key.incident);
  }
  return rules.map((rule) => summarise(rule, tallies.get(rule)!, keys));
}

function summarise(rule: RuleName, tally: Tally, keys: number): RuleResult {
  const delays = tally.delays.sort((a, b) => a - b);
  const kinds = INCIDENT_KINDS.filter((kind) => tally.caught.has(kind));
  return {
    rule,
    falseAlerts: tally.falseAlerts,
    falsePerKeyWeek: Number((tally.falseAlerts / (keys * TEST_WEEKS)).toPrecision(3)),
    keysWithFalseShare: Number((tally.keysWithFalse / keys).toPrecision(3)),
    medianDelayMinutes: delays[delays.length >> 1] ?? null,
    caught: Object.fromEntries(
      kinds.map((kind) => [kind, `${tally.caught.get(kind)!.caught}/${tally.caught.get(kind)!.of}`]),
    ),
    caughtCounts: Object.fromEntries(kinds.map((kind) => [kind, tally.caught.get(kind)!])),
  };
}

function main(): void {
  const { values } = parseArgs({
    options: {
      keys: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const results = simulate(Number(values.keys), Number(values.seed));
  if (values.json) console.log(JSON.stringify({ keys: Number(values.keys), seed: Number(values.seed), results }));
  else console.table(results.map(({ caught, caughtCounts: _, ...rest }) => ({ ...rest, ...caught })));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
