/** What a panel is asked about. */
export interface GrafanaView {
  fromMs: number;
  toMs: number;
  /** Grafana's $__interval, as the panel's width and `interval` give it. */
  intervalSeconds: number;
  variables: Readonly<Record<string, string>>;
}

/**
 * Writes out the macros of grafana-clickhouse-datasource 4.x as the plugin does
 * (https://github.com/grafana/clickhouse-datasource, pkg/macros/macros.go), and variables as Grafana's `sqlstring` does.
 * @throws for a macro or variable that nobody would replace
 */
export function writtenOut(sql: string, view: GrafanaView): string {
  const [from, to] = [view.fromMs, view.toMs].map((ms) => `toDateTime(${Math.floor(ms / 1000)})`) as [string, string];
  const [fromMs, toMs] = [view.fromMs, view.toMs].map((ms) => `fromUnixTimestamp64Milli(${ms})`) as [string, string];
  const written = sql
    .replace(/\$\{(\w+):sqlstring\}/g, (_, name: string) => quoted(view.variables[name], name))
    .replace(/\$__timeFilter_ms\(([^)]+)\)/g, (_, column) => `${column} >= ${fromMs} AND ${column} <= ${toMs}`)
    .replace(/\$__timeFilter\(([^)]+)\)/g, (_, column) => `${column} >= ${from} AND ${column} <= ${to}`)
    .replace(
      /\$__timeInterval\(([^)]+)\)/g,
      (_, column) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${view.intervalSeconds} second)`,
    )
    .replace(/\$__fromTime\b/g, from)
    .replace(/\$__toTime\b/g, to);
  if (written.includes('$')) throw new Error(`nobody replaces a macro or variable of: ${written}`);
  return written;
}

function quoted(value: string | undefined, name: string): string {
  if (value === undefined) throw new Error(`the dashboard has no variable "${name}"`);
  return `'${value.replaceAll("'", "''")}'`;
}
