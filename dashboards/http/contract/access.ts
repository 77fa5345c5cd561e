export interface Session {
  scopes: string[];
  organization_id: string | null;
  key_id: string | null;
  name: string | null;
}

export interface TokenEntry {
  id: string;
  name: string;
  scopes: string[];
  organization_id: string | null;
  key_id: string | null;
  created_at: string;
  expires_at: string | null;
}

export interface AuditEntry {
  at: string;
  action: string;
  actor: string;
  reason: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  version: number;
  run_id: string | null;
  subject: string;
  organization_id: string | null;
}
