import { AuditPage } from '../audit/audit-page.tsx';
import { TokensPage } from '../tokens/tokens-page.tsx';
import { HealthPage } from './health-page.tsx';
import { JobsPage } from './jobs-page.tsx';

/** The pages of those who run Keytally, by their names in the address. */
export const PAGES = { system: HealthPage, jobs: JobsPage, audit: AuditPage, tokens: TokensPage };
