import type { ApiPaths } from './api-paths.ts';
import type { Batch } from './batch.ts';
import { TextColumn } from './column.ts';
import { nextTurn, ROWS_PER_TURN } from './event-loop.ts';
import { redactPath } from './redact-path.ts';
import { redactIdentity, redactText } from './redact-text.ts';
import type { RouteLimit } from './route-limit.ts';
import { templateOf } from './route-template.ts';

/**
 * Makes a batch fit to leave the process: secrets are removed from every text, paths become routes, routes are
 * bounded per key. Works on distinct values, not on records: a batch of 25,000 records has a few hundred texts.
 */
export class BatchCleaner {
  readonly #routes: RouteLimit;
  readonly #apiPaths: Pick<ApiPaths, 'match'>;

  constructor(routes: RouteLimit, apiPaths: Pick<ApiPaths, 'match'>) {
    this.#routes = routes;
    this.#apiPaths = apiPaths;
  }

  async clean(batch: Batch): Promise<void> {
    for (const name of ['userAgent', 'error', 'service', 'environment', 'route'] as const) {
      const column = batch[name];
      column.values = column.values.map(redactText);
    }
    const paths = batch.path.values;
    for (let at = 0; at < paths.length; at++) {
      if (paths[at] !== '') paths[at] = redactPath(paths[at]!);
      if (at % ROWS_PER_TURN === ROWS_PER_TURN - 1) await nextTurn();
    }
    batch.route = await this.#boundedRoutes(batch);
    for (const [row, id] of batch.requestId.entries()) {
      if (id !== '') batch.requestId[row] = redactIdentity(id);
      if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await nextTurn();
    }
  }

  /** Route column with the templates of paths filled in and each key's routes bounded. */
  async #boundedRoutes(batch: Batch): Promise<TextColumn> {
    const { keyId, organizationId, method, path, route } = batch;
    const routes = new TextColumn(batch.rows);
    // Decided once per (key, organization, method, route or path) of the batch. Each code is below 50,000 and most have
    // few values, so the packed number stays exact; a small one is also found faster.
    const whats = route.values.length + path.values.length;
    const decided = new Map<number, string>();
    for (let row = 0; row < batch.rows; row++) {
      const given = route.codes[row]!;
      const named = route.values[given] !== '';
      const what = named ? given : route.values.length + path.codes[row]!;
      const caller = keyId.codes[row]! * organizationId.values.length + organizationId.codes[row]!;
      const pack = (caller * whats + what) * method.values.length + method.codes[row]!;
      let bounded = decided.get(pack);
      if (bounded === undefined) {
        const wanted = named
          ? route.values[given]!
          : this.#routeOf(organizationId.at(row), method.at(row), path.at(row));
        bounded = this.#routes.apply(keyId.at(row), method.at(row), wanted);
        decided.set(pack, bounded);
      }
      routes.set(row, bounded);
      if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await nextTurn();
    }
    return routes;
  }

  #routeOf(organizationId: string, method: string, path: string): string {
    if (path === '') return '';
    return this.#apiPaths.match(organizationId, method, path) || templateOf(path);
  }
}
