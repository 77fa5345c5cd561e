/** A registered API key: what the platform that owns it tells us about it. */
export interface RegisteredKey {
  key_id: string;
  organization_id: string;
  customer_id: string;
  name: string;
  description: string;
  prefix: string;
  sha256: string;
  kind: string;
  environment: string;
  scopes: string[];
  permissions: string;
  plan: string;
  limit_per_minute: number | null;
  limit_per_day: number | null;
  limit_per_month: number | null;
  limit_burst: number | null;
  owner_name: string;
  owner_email: string;
  /** RFC 3339; null = not known. */
  created_at: string;
  expires_at: string | null;
  rotated_at: string | null;
  successor_key_id: string;
  status: KeyStatus;
  status_reason: string;
  deleted: boolean;
  version: number;
  updated_at: string;
  /** When Keytally first heard of the key: before that, nothing is known of its use. */
  registered_at: string;
  /** Newest change of status; null = never changed. */
  status_changed_at: string | null;
  /** First report that the present secret leaked. */
  leaked_at: string | null;
  /** What the newest version changed, see `change.ts`. */
  change_action: string;
  change_actor: string;
  change_reason: string;
  change_before: string;
  /** Policy run that made the newest version; '' = somebody or something else did. */
  run_id: string;
}

/** `discovered` is never stored: it is a key that sends traffic and that nobody registered. */
export type KeyStatus = 'active' | 'inactive' | 'expired';

/** A registered key before anything is known about it. */
export function blankKey(keyId: string, now: string): RegisteredKey {
  return {
    key_id: keyId,
    organization_id: '',
    customer_id: '',
    name: '',
    description: '',
    prefix: '',
    sha256: '',
    kind: '',
    environment: '',
    scopes: [],
    permissions: '',
    plan: '',
    limit_per_minute: null,
    limit_per_day: null,
    limit_per_month: null,
    limit_burst: null,
    owner_name: '',
    owner_email: '',
    created_at: now,
    expires_at: null,
    rotated_at: null,
    successor_key_id: '',
    status: 'active',
    status_reason: '',
    deleted: false,
    version: 0,
    updated_at: now,
    registered_at: now,
    status_changed_at: null,
    leaked_at: null,
    change_action: '',
    change_actor: '',
    change_reason: '',
    change_before: 'null',
    run_id: '',
  };
}
