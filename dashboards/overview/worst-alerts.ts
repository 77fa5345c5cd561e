import type { Alert, Severity } from '../http/contract/alerts.ts';
import type { Page } from '../http/contract/page.ts';

const MOST = 6;
const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** The alerts to show of the newest ones, worst first, and how many of them these are; no note when they are all. */
export function worstAlerts({ data, next_cursor }: Page<Alert>): { rows: Alert[]; note: string | undefined } {
  const rows = [...data].sort((a, b) => RANK[a.severity] - RANK[b.severity]).slice(0, MOST);
  if (next_cursor) return { rows, note: `The worst ${rows.length} of the newest ${data.length}; there are more` };
  return { rows, note: data.length > rows.length ? `The worst ${rows.length} of ${data.length}` : undefined };
}
