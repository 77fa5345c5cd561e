import { cpSync } from 'node:fs';

/** Environment variable that says where the template is (see store-template.ts); without it every store makes its tables itself. */
export const TEMPLATE = 'KEYTALLY_TEST_STORE_TEMPLATE';

/** Fills a folder that does not exist yet with the tables of the template, when there is one. */
export function startFromTemplate(folder: string): void {
  const template = process.env[TEMPLATE];
  // Links inside are relative; made absolute they would lead back to the template.
  if (template) cpSync(template, folder, { recursive: true, verbatimSymlinks: true });
}
