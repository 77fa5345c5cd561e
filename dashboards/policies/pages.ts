import { PoliciesPage } from './policies-page.tsx';
import { PolicyPage } from './policy-page.tsx';

/** The pages of this folder by their names in the address. */
export const PAGES = { policies: PoliciesPage, policy: PolicyPage };
