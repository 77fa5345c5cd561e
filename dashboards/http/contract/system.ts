export interface SourceEntry {
  format: string;
  organization_id: string | null;
  last_received_at: string;
  accepted: number;
  rejected: number;
  error: string;
}

export interface QueueEntry {
  name: string;
  holds: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  paused: boolean;
  oldest_waiting_ms: number;
}

export interface Jobs {
  queues: QueueEntry[];
  schedules: {
    name: string;
    does: string;
    expression: string;
    next_run_at: string | null;
    last_run: { at: string; duration_ms: number; outcome: 'done' | 'failed' | 'running' } | null;
  }[];
  failed: { queue: string; id: string; name: string; failed_at: string | null; attempts: number; reason: string }[];
}

export interface SystemHealth {
  now: string;
  version: string;
  node_version: string;
  process_started_at: string;
  pipeline: {
    waiting_batches: number;
    failed_batches: number;
    lag_ms: number;
    paused: boolean;
    last_received_at: string | null;
    waiting_dead_letters: number;
  };
  redis: {
    version: string;
    used_memory_bytes: number;
    max_memory_bytes: number;
    used_ratio: number;
    refuses_above_ratio: number;
    appendonly: boolean;
  };
  store: {
    engine: 'embedded' | 'server';
    version: string;
    bytes: number;
    tables: { table: string; rows: number; bytes: number; parts: number }[];
  };
  geo: { built_at: string | null };
  retention_days: Record<'requests' | 'minute' | 'quarter_hour' | 'day', number>;
}

/** What single keys take on disk, of `/v1/storage`. */
export interface StoredKeys {
  keys: { key_id: string; requests: number; rollup_rows: number; bytes_on_disk: number }[];
}

export interface DeadLetter {
  id: string;
  at: string;
  rows: number;
  reason: string;
  /** First record as text, redacted; null when it was kept packed. */
  sample: Record<string, string> | null;
  outcome: 'waiting' | 'replayed' | 'dropped';
}

export interface SettledLetter {
  id: string;
  outcome: string;
  rows: number;
}

export interface InvariantReport {
  /** Null before the first check. */
  checked_at: string | null;
  /** Violations are -1 when the check itself failed. */
  invariants: { name: string; says: string; violations: number; examples: string[] }[];
}
