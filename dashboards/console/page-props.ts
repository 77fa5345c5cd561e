import type { ApiClient } from '../http/client.ts';
import type { Rights } from './rights.ts';

/** What a page of the console is given. */
export interface PageProps {
  api: ApiClient;
  search: string;
  rights: Rights;
  /** Of a page of one thing; '' elsewhere. */
  id: string;
}
