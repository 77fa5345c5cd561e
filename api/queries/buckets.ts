/** Widths of one point of a series. Apart from the calendar, which a command that only names them need not load. */
export const BUCKETS = ['minute', 'quarter_hour', 'hour', 'day', 'week', 'month'] as const;
export type Bucket = (typeof BUCKETS)[number];
