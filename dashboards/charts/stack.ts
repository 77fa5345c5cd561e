import type { SeriesPoint } from '../http/contract/usage.ts';

/** Status classes in the order they are stacked, from the axis up. */
export const STATUS_CLASSES = ['success', 'redirect', 'client', 'server'] as const;
export type StatusClass = (typeof STATUS_CLASSES)[number];

export const CLASS_NAMES: Record<StatusClass, string> = {
  success: '2xx',
  redirect: '3xx',
  client: '4xx',
  server: '5xx',
};

export function classOfStatus(status: number): StatusClass {
  if (status >= 500) return 'server';
  if (status >= 400) return 'client';
  if (status >= 300) return 'redirect';
  return 'success';
}

export type ClassCounts = Record<StatusClass, number>;

/** What is neither a redirect nor an error succeeded. Never below zero, also if the parts disagree with the total. */
export function classCounts(point: Pick<SeriesPoint, 'requests' | 'redirects' | 'client_errors' | 'server_errors'>) {
  const redirect = point.redirects ?? 0;
  const { client_errors: client, server_errors: server } = point;
  return { success: Math.max(0, point.requests - redirect - client - server), redirect, client, server };
}

/** For each class the height its segment reaches, so the last one is the whole bar. */
export function stackedTops(counts: readonly ClassCounts[]): number[][] {
  const floor = counts.map(() => 0);
  return STATUS_CLASSES.map((name) => counts.map((count, index) => (floor[index] = (floor[index] ?? 0) + count[name])));
}

export function sumClasses(counts: readonly ClassCounts[]): ClassCounts {
  const sum: ClassCounts = { success: 0, redirect: 0, client: 0, server: 0 };
  for (const count of counts) for (const name of STATUS_CLASSES) sum[name] += count[name];
  return sum;
}
