import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { tempFolder } from '../support/temp-folder.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore(parseConfig({}), tempFolder());
});
afterAll(() => store.close());

test('a question does not wait behind a long one while another session is idle', async () => {
  const answered: string[] = [];
  const long = store
    .query('SELECT sum(sleepEachRow(1)) AS slept FROM numbers(8)', {}, { max_block_size: 1 })
    .then(() => answered.push('long'));
  for (let n = 0; n < 8; n++) {
    await store.query('SELECT 1 AS one');
    answered.push('short');
  }
  await long;
  expect(answered).toEqual([...Array<string>(8).fill('short'), 'long']);
});
