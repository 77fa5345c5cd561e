import { Batch } from './batch.ts';

/** Some rows of a batch as a batch of their own, in the given order. */
export function partOfBatch(batch: Batch, rows: readonly number[]): Batch {
  const part = new Batch();
  for (const row of rows) {
    part.add(
      {
        keyId: batch.keyId.at(row),
        timestampMs: batch.timestampMs.at(row),
        method: batch.method.at(row),
        path: batch.path.at(row),
        route: batch.route.at(row),
        status: batch.status.at(row),
        latencyMs: batch.latencyMs.at(row),
        requestBytes: batch.requestBytes.at(row),
        responseBytes: batch.responseBytes.at(row),
        ip: batch.ip.at(row),
        country: batch.country.at(row),
        userAgent: batch.userAgent.at(row),
        requestId: batch.requestId[row]!,
        service: batch.service.at(row),
        environment: batch.environment.at(row),
        rateLimited: batch.rateLimited.at(row) === 1,
        error: batch.error.at(row),
      },
      batch.organizationId.at(row),
    );
  }
  return part;
}
